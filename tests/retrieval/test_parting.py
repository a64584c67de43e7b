"""Where a message may hold two questions, and what speaks for it."""

from math import log

import pytest

from bot.domain import Findings, Match
from bot.retrieval.parting import Halves, Split, splits
from tests.retrieval.bases import APHID, RUST, SWARM

RUSTY, LOUSY = "叶子背面黄粉粉", "嫩尖爬满油虫"


def found(entry, right):
    return Findings((Match(entry, 5.0, entry.title),), right, right)


@pytest.mark.parametrize(
    "between", ["，", ", ", "。", "？", "?!", "；", "、", "……", " ", "\n", "！\n "]
)
def test_a_message_parts_between_its_clauses(between):
    assert splits(RUSTY + between + LOUSY) == (Split(RUSTY, LOUSY, is_marked=False),)


@pytest.mark.parametrize(
    "more", ["还有", "另外", "顺便", "对了，", "再问", "顺便问哈", "另外问一下：", "还有一个，"]
)
@pytest.mark.parametrize("between", ["", "，", "。\n"])
def test_what_stands_behind_a_word_for_more_is_marked_and_loses_it(between, more):
    assert splits(RUSTY + between + more + LOUSY) == (Split(RUSTY, LOUSY, is_marked=True),)


def test_three_clauses_part_in_two_places():
    assert splits("叶子黄了，树子流胶，果子也落") == (
        Split("叶子黄了", "树子流胶，果子也落", is_marked=False),
        Split("叶子黄了，树子流胶", "果子也落", is_marked=False),
    )


@pytest.mark.parametrize(
    "text", ["", "，。", RUSTY, f"老师，{RUSTY}", f"{RUSTY}，谢谢", f"还有{RUSTY}", f"{RUSTY}还有"]
)
def test_nothing_parts_within_the_least_length_of_a_question(text):
    assert splits(text) == ()


def test_a_long_story_is_cut_in_no_more_than_sixteen_places():
    assert len(splits("，".join([RUSTY] * 30))) == 16


def test_the_signals_are_those_of_both_halves_and_of_the_whole():
    cut = Split(RUSTY, LOUSY, is_marked=True)
    signals = Halves(cut, 5.5, found(RUST, 0.9), found(APHID, 0.5)).signals(found(APHID, 0.2))
    assert (signals["marked"], signals["clearness"]) == (1, 5.5)
    assert (signals["as_first"], signals["as_second"]) == (0, 1)
    assert signals["shorter"] == pytest.approx(log(len(LOUSY)))
    assert signals["weaker"] == signals["second"] == pytest.approx(0)
    assert signals["first"] > 0 > signals["whole"]


def test_certainty_gives_numbers():
    sure, never = found(RUST, 1.0), found(SWARM, 0.0)
    signals = Halves(Split(RUSTY, LOUSY, is_marked=False), 4.0, sure, never).signals(sure)
    assert signals["first"] == -signals["second"] == pytest.approx(log(1001))
