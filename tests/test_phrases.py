"""Every sentence that the code says stands in config/phrases.yaml, and nothing else does."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from bot.dangers import DangerShape
from bot.domain import CaseState, Other
from bot.errors import PhraseError
from bot.phrases import BLANKS, Phrases, faults

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = yaml.safe_load((ROOT / "config" / "phrases.yaml").read_text(encoding="utf-8"))
KEY = re.compile(r"[a-z]+(\.[a-z_]+)?")
SUBJECTS = {key.partition(".")[0] for key in BLANKS if "." in key}
SPEAKERS = {"_say", "say", "phrases", "_phrases"}
OUTCOMES = ("solved", "unsolved")
MADE_UP = {  # keys written as f"…": what may stand in the braces
    "wish.{}": ("greeting", "help", "thanks", "small_talk"),
    "other.{}": tuple(Other),
    "emergency.{}": get_args(DangerShape.model_fields["danger"].annotation),
    "list.{}": tuple(CaseState),
    "state.{}": tuple(CaseState),
    "desk.send_{}": ("answer", "ask"),
    "visit.no_{}": ("day", "township", "farmer", "minutes", "done"),
    "visit.{}": ("yes", "no"),
    "outcome.{}": ("better", "same", "worse"),
    "photo.{}": ("blurred", "dark", "bright", "small"),
    "rating.{}": ("great", "some", "none"),
    "button.{}_which": OUTCOMES,
    "button.{}_last": OUTCOMES,
}


def nodes():
    for path in (ROOT / "bot").rglob("*.py"):
        if path.name != "phrases.py":
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def spelled(node):
    """The keys that a string in the code stands for."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in values]
            made_up = "".join(map(str, parts))
            return [made_up.replace("{}", str(word)) for word in MADE_UP.get(made_up, ())] or [
                made_up
            ]
        case _:
            return []


def is_key(text):
    subject = text.partition(".")[0]
    is_shaped = subject in SUBJECTS and KEY.fullmatch(text) and "." in text
    is_other = text.endswith(("_", ".html"))  # part of a made-up key, or a page's template
    return text in {"greeting", "trouble"} or bool(is_shaped and not is_other)


def calls():
    """Every key said with its blanks written beside it."""
    for node in nodes():
        if isinstance(node, ast.Call) and node.args:
            callee = node.func
            name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
            if name in SPEAKERS and all(one.arg for one in node.keywords):
                blanks = {one.arg for one in node.keywords}
                yield from ((key, blanks) for key in spelled(node.args[0]) if is_key(key))


USED = {key for node in nodes() for key in spelled(node) if is_key(key)}


def test_every_sentence_that_the_code_says_stands_in_the_file():
    assert USED - SENTENCES.keys() == set()


def test_no_sentence_in_the_file_is_left_unsaid():
    assert SENTENCES.keys() - USED == set()


def test_the_file_and_the_list_of_blanks_agree():
    assert faults(SENTENCES) == {}


def test_the_code_fills_just_the_blanks_that_the_list_names():
    named = {(key, frozenset(blanks)) for key, blanks in calls() if key in BLANKS}
    assert len(named) > 40
    wrong = {
        key: sorted(blanks)
        for key, blanks in named
        if not set(BLANKS[key].split()) <= blanks
        or (blanks - set(BLANKS[key].split()) and not key.startswith("list."))
    }
    assert wrong == {}


@pytest.mark.parametrize("key", sorted(SENTENCES))
def test_a_sentence_is_short_and_without_stray_braces(key):
    filled = Phrases(SENTENCES)(key, **dict.fromkeys(BLANKS[key].split(), "甲"))
    assert len(SENTENCES[key]) <= 300
    assert not set("{}") & set(filled)
    assert filled == filled.strip()


def test_a_missing_sentence_or_blank_is_an_error_that_names_it():
    with pytest.raises(PhraseError, match=r"nothing\.here"):
        Phrases({})("nothing.here")
    with pytest.raises(PhraseError, match="number"):
        Phrases({"a": "{number}"})("a")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"greeting": None}, "少了 greeting 这一句。"),
        ({"made.up": "好"}, "没有 made.up 这一句，程序用不到。"),
        ({"greeting": " "}, "greeting 是空的。"),
        ({"greeting": "您好{name}"}, "greeting 的空格不对，应该是：没有空格。"),
        ({"greeting": "您好{"}, "greeting 的空格不对，应该是：没有空格。"),
        ({"case.closed": "好"}, "case.closed 的空格不对，应该是：{number}。"),
        ({"case.closed": "好{number:d}"}, "case.closed 的空格不对，应该是：{number}。"),
        ({"case.closed": "好{number!r}"}, "case.closed 的空格不对，应该是：{number}。"),
        ({"case.closed": "好{}{number}"}, "case.closed 的空格不对，应该是：{number}。"),
    ],
)
def test_a_sentence_changed_wrongly_is_pointed_out(change, wrong):
    changed = {key: text for key, text in (SENTENCES | change).items() if text is not None}
    assert list(faults(changed).values()) == [wrong]
