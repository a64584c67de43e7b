"""The sense for danger: its parts, and that the shipped weights come from the shipped sentences."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest

from bot.app.learning import learn
from bot.config import load
from bot.conversation.sense import Sense, Vocabulary, readings
from bot.dangers import SENTENCES, WEIGHTS, sense, sentences
from bot.errors import ConfigError
from tests.conftest import ROOT

KIN = Vocabulary({"kin": ("爸", "老爸"), "breath": ("气",)})


def lengthen(home: Path, line: str) -> None:
    path = home / "config" / SENTENCES
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")


def flat(weights: dict) -> dict[str, float]:
    kinds = weights.pop("kinds")
    rows = {f"{kind} {mark}": one for kind, row in kinds.items() for mark, one in row.items()}
    return {
        **weights.pop("weights"),
        **rows,
        **{key: weights[key] for key in ("bias", "alarm", "calm")},
    }


def test_the_shipped_weights_are_learnt_from_the_shipped_sentences(home, capsys):
    shipped = json.loads((ROOT / "config" / WEIGHTS).read_text(encoding="utf-8"))
    assert learn(Namespace(home=home)) == 0
    relearnt = json.loads((home / "config" / WEIGHTS).read_text(encoding="utf-8"))
    assert relearnt["learnt_from"] == shipped["learnt_from"]
    assert relearnt["words"] == shipped["words"]
    # the last digit may differ from machine to machine
    assert flat(relearnt) == pytest.approx(flat(shipped), abs=0.021)
    assert "拿没学过的试" in capsys.readouterr().out


def test_sentences_that_were_not_learnt_yet_are_told(home):
    lengthen(home, "  - 花椒开花了\n")
    with pytest.raises(ConfigError, match="tianwen learn"):
        load(home, {})


def test_weights_that_are_gone_or_broken_are_told(home):
    (home / "config" / WEIGHTS).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="tianwen learn"):
        load(home, {})
    (home / "config" / WEIGHTS).unlink()
    with pytest.raises(ConfigError, match="tianwen learn"):
        load(home, {})


def test_the_end_of_a_line_is_no_change(home):
    path = home / "config" / SENTENCES
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert sense(home / "config").alarm == sense(ROOT / "config").alarm


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("  - 花椒开花了\n  - 花椒开花了\n", "重复的句子：花椒开花了"),
        ("odd: 1\n", "没有 odd 这个键"),
    ],
)
def test_sentences_that_cannot_be_learnt_are_told(home, line, word):
    lengthen(home, line)
    with pytest.raises(ConfigError, match=word):
        sentences(home / "config")


def test_no_fresh_sentence_was_learnt(home):
    learnt = (ROOT / "config" / SENTENCES).read_text(encoding="utf-8").splitlines()
    fresh = (Path(__file__).parent / "fresh_emergencies.yaml").read_text(encoding="utf-8")
    held_out = {line.strip() for line in fresh.splitlines() if line.strip().startswith("- ")}
    assert held_out & {line.strip() for line in learnt} == set()


def test_traits_are_characters_pairs_classes_and_pairs_of_classes():
    expected = {"^", "爸", "气", "$", "^爸", "爸气", "气$", "<kin>", "<breath>", "<breath><kin>"}
    assert KIN.traits("爸气") == expected


def test_a_word_after_a_negation_is_of_another_class():
    assert {"<!breath>", "<kin>"} < KIN.marks("爸没气")
    assert "<breath>" not in KIN.marks("爸没气")


def test_a_long_text_is_read_whole_and_in_passages():
    assert readings("爸 没 气Ｈ") == ("爸没气h",)
    long = "今天天气很好我去了地头。我爸没气了，快来\n花椒什么时候摘才好呢"
    assert readings(long)[1:] == (
        "今天天气很好我去了地头,我爸没气了,快来",
        "我爸没气了,快来,花椒什么时候摘才好呢",
    )


def test_a_sense_must_be_able_to_name_and_to_rest():
    with pytest.raises(ValueError, match="calm"):
        Sense(KIN, {}, {"other": {}}, bias=0, alarm=0, calm=0)
    with pytest.raises(ValueError, match="kinds"):
        Sense(KIN, {}, {}, bias=0, alarm=1, calm=0)
    with pytest.raises(ValueError, match="empty word"):
        Vocabulary({"kin": ("",)})
