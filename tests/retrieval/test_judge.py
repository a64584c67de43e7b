"""The calibrated judge: what it computes, what it refuses, and how it is fitted."""

import json
import random
from dataclasses import replace
from datetime import date

import pytest

from bot.errors import ModelError
from bot.retrieval.calibration import Budget, Check, calibrate
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import Index
from bot.retrieval.judge import Judge, Scale
from bot.retrieval.left_out import left_out, summary
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import RUST, base_of

DAY = date(2026, 11, 23)
JUDGE = Judge(
    mean={"lead": 1.0, "near": 0.5},
    spread={"lead": 2.0, "near": 0.1},
    right=Scale(0.0, {"lead": 1.0, "near": 0.0}),
    among=Scale(1.0, {"lead": 0.0, "near": 2.0}),
    answer_at=0.7,
    offer_at=0.2,
    decline_lead=0.1,
    made_on="2026-11-23",
    figures={"questions": 3.0},
)
SIGNS = [
    "黄粉",
    "黑斑",
    "流胶",
    "卷叶",
    "白毛",
    "烂根",
    "虫眼",
    "落花",
    "裂皮",
    "枯梢",
    "油亮",
    "锈点",
]
PLACES = ["叶背", "嫩尖", "树干", "根蔸", "果子"]


def test_probabilities_are_logistic_in_standardised_signals():
    right, among = JUDGE.odds({"lead": 3.0, "near": 0.5})
    assert right == pytest.approx(0.7310586)
    assert among == pytest.approx(0.7310586)
    assert JUDGE.odds({"lead": -1e9, "near": 0.5})[0] == 0.0


def test_a_judge_is_written_and_read_back(tmp_path):
    JUDGE.save(tmp_path / "judge.json")
    assert Judge.load(tmp_path / "judge.json") == JUDGE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shape: shape.pop("spread"),
        lambda shape: shape["right"]["weights"].update(odd=1.0),
        lambda shape: shape.update(more=1),
    ],
)
def test_a_judge_that_does_not_fit_is_refused(tmp_path, spoil):
    path = tmp_path / "judge.json"
    JUDGE.save(path)
    shape = json.loads(path.read_text("utf-8"))
    spoil(shape)
    path.write_text(json.dumps(shape), "utf-8")
    with pytest.raises(ModelError, match="tianwen calibrate"):
        Judge.load(path)


def test_no_judge_or_rubbish_is_told(tmp_path):
    for text in (None, "", "[]", "{"):
        path = tmp_path / "judge.json"
        if text is not None:
            path.write_text(text, "utf-8")
        with pytest.raises(ModelError):
            Judge.load(path)


def village_base():
    """Forty entries that a place and a sign tell apart, and questions about other matters."""
    pairs = [(place, sign) for place in PLACES for sign in SIGNS][:40]
    entries = [
        replace(
            RUST,
            id=f"e-{number:02}",
            title=f"{place}{sign}",
            questions=tuple(
                f"{place}起了{sign}{more}"
                for more in (
                    "咋办",
                    "是啥子",
                    "打啥药",
                    "去年也有",
                    "越来越多",
                    "要紧不",
                    "会传不",
                    "有救没得",
                )
            ),
        )
        for number, (place, sign) in enumerate(pairs)
    ]
    chance = random.Random(3)
    whose, what = ["老王", "镇上", "区里"], ["电话", "价钱", "地址", "补贴"]
    others = tuple(f"{chance.choice(whose)}的{chance.choice(what)}{n}" for n in range(40))
    checks = [
        Check(f"我家{place}有{sign}{tail}", (f"e-{number:02}",))
        for number, (place, sign) in enumerate(pairs)
        for tail in ("了", "怎么整")
    ]
    return replace(base_of(*entries), unanswerable=others), checks


def tools(tmp_path):
    embedder, cache = HashingEmbedder(), VectorCache(tmp_path / "vectors.npz")
    return (
        lambda base: Index.build(base, embedder, cache),
        lambda texts: cache.vectors(embedder, texts),
    )


def test_a_judge_fitted_answers_what_it_can_and_nothing_else(tmp_path):
    base, checks = village_base()
    embedder = HashingEmbedder()
    build, vectors = tools(tmp_path)
    judge = calibrate(base, checks, build, vectors, Budget(0.05, 0.1, 0.8), DAY)
    assert judge.figures["answered_right"] > 0.8
    assert judge.figures["unanswerable_answered"] <= 0.1
    index = build(base)

    def right(text):
        return judge.odds(index.weigh(embedder.queries([text])[0], text).signals)[0]

    assert right("叶背黄粉好多哦") >= judge.answer_at
    assert right("镇上的价钱7") < judge.answer_at


def test_a_budget_that_can_not_be_kept_answers_nothing(tmp_path):
    base, checks = village_base()
    confused = [replace(one, entries=("e-00",)) if n % 3 else one for n, one in enumerate(checks)]
    judge = calibrate(base, confused, *tools(tmp_path), Budget(0.01, 0.01, 0.9), DAY)
    assert judge.figures["answered_wrong"] <= 0.01


def test_each_phrasing_is_left_out_in_turn(tmp_path):
    base, _ = village_base()
    stray = replace(
        base.entries["e-00"], questions=(*base.entries["e-00"].questions, "果子裂皮裂皮")
    )
    base = replace(base, entries={**base.entries, "e-00": stray})
    build, vectors = tools(tmp_path)
    results = list(left_out(build(base), vectors))
    assert len(results) == sum(len(entry.questions) for entry in base.entries.values())
    [lost] = [one for one in results if one.text == "果子裂皮裂皮"]
    assert lost.is_lost
    assert sum(one.is_lost for one in results) < len(results) / 10
    text = summary(results, dict.fromkeys(base.entries, "花椒"))
    assert "花椒" in text
    assert "e-00" in text
