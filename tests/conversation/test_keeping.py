"""收进知识库: who may make a delivered reply a draft entry, when, and what everybody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.domain import Author, CaseState, Deed, Entered, Event, Kept, Line
from tests.cast import (
    DEPUTY,
    DEPUTY_CHAT,
    DESK_CHAT,
    DISPATCHER,
    DOMAINS,
    LI,
    LV_CHAT,
    PEOPLE,
    UNKNOWN,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    said,
    told,
)

WORDS = "先莫开箱，夜里关巢门。"


@pytest.fixture
def village():
    made = Village(*PEOPLE, DEPUTY)
    made.says(LI, UNKNOWN_BEES)
    made.says(LI, "盘龙镇")
    made.says(WANG_CHAT, WORDS, about=1)
    return made


def delivered(village, words=WORDS, *, number=1, who=WANG.id, case=1):
    """Delivery has told the ledger."""
    answer = f"{said('case.answer', number=case, who='科技特派员王瑞生')}\n\n{words}".strip()
    proof = {"question": village.cases[case].question, "answer": answer}
    enter(village, Deed.SERVICE, number, case=case, who=who, proof=proof)


def enter(village, deed, number, *, case=1, who=WANG.id, about=None, proof=None):
    entered = Entered(deed, who, who, case, about, proof or {})
    village.ledger = (*village.ledger, Line(number, village.now, entered, ""))


def kept(turn):
    return turn.kept and turn.kept.answer


def test_the_button_stands_under_the_confirmation_and_keeps_the_delivered_reply(village):
    turn = village.says(WANG_CHAT, WORDS, about=1)
    assert buttons(turn, WANG_CHAT) == ["case:1:keep"]
    delivered(village)
    turn = village.presses(WANG_CHAT, "case:1:keep")
    assert turn.kept == Kept(
        Author(WANG.id, "王瑞生", 1),
        "科技特派员王瑞生",
        UNKNOWN_BEES,
        WORDS,
        date(2026, 11, 23),
        "盘龙镇",
        "beekeeping",
    )
    assert told(turn, WANG_CHAT) == [said("keep.done", number=1, name="王瑞生")]
    assert told(turn, DESK_CHAT) == [said("keep.told", number=1, who="王瑞生")]
    assert told(turn, LI) == []
    [change] = turn.changes
    assert (change.what, change.by, change.case.is_kept) == (Event.KEPT, WANG.id, True)
    assert (change.case.state, turn.entered) == (CaseState.ANSWERED, ())


@pytest.mark.parametrize("words", ["#1 收进知识库", "＃1：收进知识库。", "#1收入知识库"])
def test_it_may_be_typed(village, words):
    delivered(village)
    assert kept(village.says(WANG_CHAT, words)) == WORDS


def test_typed_below_a_message_about_the_case_it_is_no_answer_to_the_farmer(village):
    delivered(village)
    turn = village.says(WANG_CHAT, "收进知识库", about=1)
    assert (kept(turn), told(turn, LI)) == (WORDS, [])


def test_typed_without_a_number_it_is_asked_for(village):
    delivered(village)
    turn = village.says(WANG_CHAT, "收进知识库")
    assert (told(turn, WANG_CHAT), kept(turn)) == ([said("keep.which_case")], None)


def test_once_a_case(village):
    delivered(village)
    village.presses(WANG_CHAT, "case:1:keep")
    for chat in (WANG_CHAT, DESK_CHAT):
        turn = village.presses(chat, "case:1:keep")
        assert (told(turn, chat), turn.changes) == ([said("keep.before", number=1)], ())
        assert turn.kept is None


def test_a_reply_that_has_not_reached_its_farmer_is_not_kept_yet(village):
    turn = village.presses(WANG_CHAT, "case:1:keep")
    assert (told(turn, WANG_CHAT), kept(turn)) == ([said("keep.not_yet", number=1)], None)


def test_a_case_reopened_is_not_kept_until_it_is_answered_again(village):
    delivered(village)
    village.presses(LI, "case:1:unsolved")
    turn = village.presses(WANG_CHAT, "case:1:keep")
    assert (told(turn, WANG_CHAT), kept(turn)) == ([said("keep.not_yet", number=1)], None)
    village.says(WANG_CHAT, "那就换王。", about=1)
    delivered(village, "那就换王。", number=2)
    village.presses(LI, "case:1:solved")
    assert kept(village.presses(WANG_CHAT, "case:1:keep")) == "那就换王。"


def test_a_reply_that_was_struck_is_not_kept_unless_it_counts_again(village):
    delivered(village)
    enter(village, Deed.STRUCK, 2, about=1)
    turn = village.presses(WANG_CHAT, "case:1:keep")
    assert told(turn, WANG_CHAT) == [said("keep.not_yet", number=1)]
    enter(village, Deed.RESTORED, 3, about=1)
    assert kept(village.presses(WANG_CHAT, "case:1:keep")) == WORDS


def test_a_reply_without_words_has_nothing_to_keep(village):
    delivered(village, "")
    turn = village.presses(WANG_CHAT, "case:1:keep")
    assert (told(turn, WANG_CHAT), kept(turn)) == ([said("keep.no_words", number=1)], None)


def test_a_dispatcher_keeps_it_in_the_name_of_whoever_answered(village):
    delivered(village)
    turn = village.presses(DESK_CHAT, "case:1:keep")
    assert turn.kept.author == Author(WANG.id, "王瑞生", 1)
    assert told(turn, DESK_CHAT) == [said("keep.done", number=1, name="王瑞生")]


def test_another_commissioner_does_not_keep_it(village):
    delivered(village)
    village.cases[1] = replace(village.cases[1], passed=(DEPUTY.id,))
    village._shown.add((DEPUTY.id, 1))
    turn = village.presses(DEPUTY_CHAT, "case:1:keep")
    who = "科技特派员王瑞生"
    assert told(turn, DEPUTY_CHAT) == [said("keep.not_yours", number=1, who=who)]
    stranger = village.presses(LV_CHAT, "case:1:keep")
    assert told(stranger, LV_CHAT) == [said("desk.no_such_case", number="1")]
    assert (kept(turn), kept(stranger)) == (None, None)


def test_a_case_without_a_subject_is_kept_in_the_one_that_is_picked():
    village = Village()
    village.says(ZHANG, UNKNOWN)
    village.says(DESK_CHAT, "请找农机站。", about=1)
    delivered(village, "请找农机站。", who=DISPATCHER.id)
    turn = village.presses(DESK_CHAT, "case:1:keep")
    assert told(turn, DESK_CHAT) == [said("keep.which_subject", number=1)]
    assert buttons(turn, DESK_CHAT) == [f"case:1:keep:{domain}" for domain in DOMAINS]
    assert turn.kept is None
    assert village.presses(DESK_CHAT, "case:1:keep:nonsense").kept is None
    turn = village.presses(DESK_CHAT, "case:1:keep:sichuan-pepper")
    assert (turn.kept.domain, turn.kept.signed) == ("sichuan-pepper", "分诊台")


def test_a_farmer_keeps_nothing(village):
    delivered(village)
    turn = village.presses(LI, "case:1:keep")
    assert (turn.kept, turn.changes) == (None, ())
