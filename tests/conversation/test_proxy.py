"""代问: asking for a neighbour; the answer is a card to pass on."""

from __future__ import annotations

import pytest

from bot.conversation.proxy import request_in
from tests.cast import LI, STUNG, SURE, UNKNOWN_BEES, WANG_CHAT, Village, said, told

CARD = said("proxy.card", who="邻居")


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (f"代问：{SURE}", "邻居"),
        (f"帮邻居问一下，{SURE}", "邻居"),
        (f"替我老汉问哈 {SURE}", "我老汉"),
        (f"帮张大爷问个 {SURE}", "张大爷"),
    ],
)
def test_an_answer_for_somebody_else_may_be_passed_on(words, who):
    [text] = told(Village().says(LI, words), LI)
    assert "先把病叶清出园子烧掉" in text
    assert text.endswith(said("proxy.card", who=who))


@pytest.mark.parametrize(
    "words", [SURE, f"帮我问一下{SURE}", f"帮忙问一下，{SURE}", "代问", "邻居问我花椒咋个栽"]
)
def test_whoever_asks_for_himself_is_asked_nothing_of(words):
    assert request_in(words) is None


def test_a_case_knows_whom_it_is_for_and_its_answer_is_a_card():
    village = Village()
    turn = village.says(LI, f"帮邻居问一下：{UNKNOWN_BEES}")
    [offer] = told(turn, WANG_CHAT)
    assert said("offer.asked_for", who="邻居") in offer
    assert UNKNOWN_BEES in village.cases[1].question
    [answer] = told(village.says(WANG_CHAT, "先把巢门关小", about=1), LI)
    assert answer.endswith(CARD)
    [question] = told(village.says(WANG_CHAT, "问：几箱", about=1), LI)
    assert CARD not in question


def test_danger_to_somebody_else_is_danger():
    turn = Village().says(LI, f"帮邻居问一下，{STUNG}")
    assert "120" in told(turn, LI)[0]
    assert turn.changes[0].case.is_urgent
