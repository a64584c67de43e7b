"""What time demands of a case."""

import pytest

from bot.domain import CaseState, Event
from tests.cast import (
    DEPUTY,
    DEPUTY_CHAT,
    DESK_CHAT,
    DISPATCHER,
    LI,
    PEOPLE,
    UNKNOWN,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
    Village,
    buttons,
    said,
    told,
)


@pytest.fixture
def village():
    village = Village(*PEOPLE, DEPUTY)
    village.says(LI, UNKNOWN_BEES)
    return village


def test_an_offer_is_reminded_of_with_the_buttons_then_passed_on(village):
    turn = village.time_comes(1)
    assert told(turn, WANG_CHAT) == [said("case.offer_reminder", number=1)]
    assert buttons(turn, WANG_CHAT) == ["case:1:accept", "case:1:decline"]
    assert (told(turn, LI), turn.filed_under) == ([], 1)
    turn = village.time_comes(1)
    assert (village.cases[1].holder, village.cases[1].passed) == (DEPUTY.id, (WANG.id,))
    assert told(turn, LI) == [said("case.passed_on", number=1, who="科技特派员周副")]
    assert "已退回或没接" in told(turn, DEPUTY_CHAT)[0]
    assert village.events[-1].what is Event.PASSED


def test_when_everybody_let_it_lie_the_dispatchers_have_it(village):
    for _ in range(4):
        turn = village.time_comes(1)
    assert village.cases[1].state is CaseState.UNPLACED
    assert len(told(turn, DESK_CHAT)) == 1
    assert told(turn, LI) == [said("case.passed_on", number=1, who="分诊员")]


def test_what_nobody_has_is_reminded_of_until_somebody_takes_it(village):
    village.says(LI, "取消")
    village.says(LI, UNKNOWN)
    for reminders in (1, 2, 3):
        turn = village.time_comes(2)
        assert told(turn, DESK_CHAT) == [said("case.unplaced_reminder", number=2)]
        assert buttons(turn, DESK_CHAT) == ["case:2:accept", "case:2:decline"]
        assert village.cases[2].reminders == reminders


def test_a_late_answer_is_reminded_of_and_then_the_dispatcher_may_take_it(village):
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.time_comes(1)
    assert told(turn, WANG_CHAT) == [said("case.answer_reminder", number=1)]
    assert (buttons(turn, WANG_CHAT), told(turn, DESK_CHAT)) == ([], [])
    turn = village.time_comes(1)
    assert len(told(turn, DESK_CHAT)) == 1
    village.presses(DESK_CHAT, "case:1:accept")
    assert village.cases[1].holder == DISPATCHER.id


def test_a_farmer_who_was_asked_is_nudged_once_then_the_case_is_closed(village):
    village.says(WANG_CHAT, "问：几桶？", about=1)
    turn = village.time_comes(1)
    assert told(turn, LI) == [said("case.waiting_for_you", number=1, who="科技特派员王瑞生")]
    turn = village.time_comes(1)
    assert told(turn, LI) == [said("case.closed_quietly", number=1)]
    assert village.cases[1].state is CaseState.RESOLVED


def test_some_days_after_an_answer_the_farmer_is_asked_how_it_went(village):
    village.says(WANG_CHAT, "先莫开箱", about=1)
    turn = village.time_comes(1)
    assert told(turn, LI) == [said("case.outcome", number=1, words=UNKNOWN_BEES)]
    assert buttons(turn, LI) == ["case:1:better", "case:1:same", "case:1:worse"]
    assert village.cases[1].state is CaseState.ANSWERED


def test_silence_after_that_closes_the_case_with_a_way_back(village):
    village.says(WANG_CHAT, "先莫开箱", about=1)
    village.time_comes(1)
    turn = village.time_comes(1)
    assert told(turn, LI) == [said("case.closed_quietly", number=1)]
    assert buttons(turn, LI) == ["case:1:unsolved"]
    assert village.cases[1].due_at is None
    village.presses(LI, "case:1:unsolved")
    assert (village.cases[1].state, village.cases[1].holder) == (CaseState.ACCEPTED, WANG.id)


def test_a_move_starts_the_count_of_reminders_anew(village):
    village.time_comes(1)
    village.presses(WANG_CHAT, "case:1:accept")
    assert village.cases[1].reminders == 0
