"""The calibrated judge: what it computes, what it refuses, and how it is fitted."""

import json
import random
from dataclasses import replace
from datetime import date

import pytest

from bot.domain import Unanswerable
from bot.errors import ModelError
from bot.retrieval.calibration import Budget, calibrate
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import Index
from bot.retrieval.judge import NOBODY, Judge, Scale
from bot.retrieval.left_out import left_out, summary
from bot.retrieval.retriever import Retriever
from bot.retrieval.trials import Check
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import RUST, base_of, strangers

DAY = date(2026, 11, 23)
JUDGE = Judge(
    mean={"lead": 1.0, "near": 0.5},
    spread={"lead": 2.0, "near": 0.1},
    right=Scale(0.0, {"lead": 1.0, "near": 0.0}),
    among=Scale(1.0, {"lead": 0.0, "near": 2.0}),
    ours=Scale(2.0, {"lead": 0.0, "near": 1.0}),
    right_after=Scale(-1.0, {"lead": 2.0, "near": 0.0}),
    among_after=Scale(-2.0, {"lead": 0.0, "near": 1.0}),
    apart=Scale(-1.0, {"marked": 2.0}),
    answer_at=0.7,
    after_at=0.8,
    offer_at=0.2,
    decline_lead=0.1,
    part_at=0.6,
    ours_at=0.3,
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
    odds = JUDGE.odds({"lead": 3.0, "near": 0.5})
    assert odds == pytest.approx((0.7310586, 0.7310586, 0.8807971))
    assert JUDGE.odds({"lead": -1e9, "near": 0.5}).right == 0.0


def test_what_goes_on_is_judged_by_scales_of_its_own():
    alone, going_on = (JUDGE.odds({"lead": 3.0, "near": 0.5}, goes_on=at) for at in (False, True))
    assert going_on == pytest.approx((0.7310586, 0.1192029, alone.ours))


def test_two_questions_are_told_by_signals_as_they_are():
    assert JUDGE.apart.probability({"marked": 1.0, "more": 5.0}) == pytest.approx(0.7310586)


def test_nobody_is_sure_of_nothing():
    for goes_on in (False, True):
        assert NOBODY.odds({}, goes_on=goes_on) == (0, 0, 0)
    assert NOBODY.apart.probability({}) < NOBODY.part_at


def test_a_judge_is_written_and_read_back(tmp_path):
    JUDGE.save(tmp_path / "judge.json")
    assert Judge.load(tmp_path / "judge.json") == JUDGE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shape: shape.pop("spread"),
        lambda shape: shape.pop("right_after"),
        lambda shape: shape.pop("part_at"),
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
    others = tuple(
        Unanswerable(
            f"{chance.choice(whose)}的{chance.choice(what)}{n}", RUST.domain if n % 4 else None
        )
        for n in range(40)
    )
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
        lambda judge, index: Retriever(embedder, judge, index),
    )


def in_context(checks):
    """What goes on from each question, and two with 还有 between, or one told from another."""
    others = [*checks[36:], *checks[:36]]
    for number, (check, other) in enumerate(zip(checks, others, strict=True)):
        both = (*check.entries, *other.entries)
        yield Check("隔几周", check.entries, check.text)
        yield Check(f"{check.text}，还有{other.text}", both, is_compound=True)
        if number % 8 == 0:
            yield Check(f"{check.text}，不是{other.text}", both)


def calibrated(folder, checks, budget):
    """A judge of the village, and search by it."""
    base, _ = village_base()
    base = replace(base, entries={**base.entries, **{one.id: one for one in strangers(80)}})
    build, vectors, retriever = tools(folder)
    checks = [*checks, *in_context(checks)]
    judge = calibrate(base, checks, build, vectors, retriever, budget, DAY)
    return judge, retriever(judge, build(base))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return calibrated(tmp_path_factory.mktemp("fitted"), village_base()[1], Budget(0.05, 0.1, 0.8))


def test_a_judge_fitted_answers_what_it_can_and_nothing_else(fitted):
    judge, retriever = fitted
    assert judge.figures["answered_right"] > 0.8
    assert judge.figures["unanswerable_answered"] <= 0.1
    assert retriever.search("叶背黄粉好多哦").right >= judge.answer_at
    assert retriever.search("镇上的价钱7").right < judge.answer_at


def test_a_judge_fitted_takes_what_goes_on_from_a_question_and_nothing_else(fitted):
    judge, retriever = fitted
    going_on = retriever.search("隔几周", "我家叶背有黄粉了")
    assert going_on.matches[0].entry.title == "叶背黄粉"
    assert going_on.right >= judge.after_at
    assert retriever.search("隔几周").right < judge.answer_at
    assert retriever.search("老王的电话好多哦", "我家叶背有黄粉了").right < judge.after_at
    assert judge.right_after != judge.right
    assert judge.figures["going_on_wrong"] <= 0.05


def test_a_judge_fitted_parts_two_questions_and_nothing_else(fitted):
    judge, retriever = fitted
    assert judge.apart.weights["marked"] > 0
    assert judge.figures["compound_right"] > 0.8

    def parted(text):
        halves = retriever.apart(text, retriever.search(text)) or ()
        return {half.matches[0].entry.title for _, half in halves}

    assert parted("叶背起黄粉，还有嫩尖起白毛") == {"叶背黄粉", "嫩尖白毛"}
    assert parted("我家叶背有黄粉了，越来越多") == set()


def test_a_judge_fitted_tells_whose_subject_a_question_is(fitted):
    judge, retriever = fitted
    assert retriever.search("我家叶背有黄粉了").domain == RUST.domain
    assert 0 < judge.ours_at < 1


def test_a_budget_that_can_not_be_kept_answers_nothing(tmp_path):
    _, checks = village_base()
    confused = [replace(one, entries=("e-00",)) if n % 3 else one for n, one in enumerate(checks)]
    judge, _ = calibrated(tmp_path, confused, Budget(0.01, 0.01, 0.9))
    assert judge.figures["answered_wrong"] <= 0.01
    assert judge.figures["going_on_wrong"] <= 0.01


def test_each_phrasing_is_left_out_in_turn(tmp_path):
    base, _ = village_base()
    stray = replace(
        base.entries["e-00"], questions=(*base.entries["e-00"].questions, "果子裂皮裂皮")
    )
    base = replace(base, entries={**base.entries, "e-00": stray})
    build, vectors, _ = tools(tmp_path)
    results = list(left_out(build(base), vectors))
    assert len(results) == sum(len(entry.questions) for entry in base.entries.values())
    [lost] = [one for one in results if one.text == "果子裂皮裂皮"]
    assert lost.is_lost
    assert sum(one.is_lost for one in results) < len(results) / 10
    text = summary(results, dict.fromkeys(base.entries, "花椒"))
    assert "花椒" in text
    assert "e-00" in text
