"""定点联系: a farmer's own commissioner, whom a dispatcher names."""

from __future__ import annotations

import pytest

from bot.domain import Assignment, CaseState, Event
from tests.cast import (
    DEPUTY,
    DEPUTY_CHAT,
    DESK_CHAT,
    DISPATCHER,
    LI,
    LV,
    PEOPLE,
    QIN_CHAT,
    STUNG,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    WANG,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    on_leave,
    said,
    told,
)


@pytest.fixture
def village():
    """周副 stands behind 王瑞生 for whoever names no township."""
    village = Village(*PEOPLE, DEPUTY)
    village.says(LI, UNKNOWN_BEES)
    assert village.cases[1].holder == WANG.id
    return village


def new_case(village, words, sender=LI):
    """The farmer's open case is done with, and he asks anew; the case, and what is said of it."""
    for number in [n for n, one in village.cases.items() if one.farmer == sender and one.is_open]:
        village.presses(sender, f"case:{number}:cancel")
    turn = village.says(sender, words)
    return village.cases[max(village.cases)], turn


def test_a_dispatcher_names_him_and_he_and_the_farmer_hear_of_it(village):
    turn = village.says(DESK_CHAT, "#1 定点 周副")
    assert told(turn, DESK_CHAT) == [said("assign.done", number=1, name="周副")]
    assert told(turn, DEPUTY_CHAT) == [said("assign.told", number=1, words=UNKNOWN_BEES)]
    assert told(turn, LI) == [said("assign.farmer", who="科技特派员周副")]
    assert turn.assigns == Assignment(LI, DEPUTY.id)
    assert (village.cases[1].assigned, village.cases[1].holder) == (DEPUTY.id, WANG.id)
    assert (village.events[-1].what, village.events[-1].note) == (Event.ASSIGNED, "周副")


def test_his_later_questions_go_to_him_first_and_the_offer_says_why(village):
    village.says(DESK_CHAT, "#1 定点：周副")
    case, turn = new_case(village, UNKNOWN_BEES)
    assert (case.holder, case.assigned) == (DEPUTY.id, DEPUTY.id)
    [offer] = told(turn, DEPUTY_CHAT)
    assert said("offer.assigned", name="周副") in offer
    assert "周副（专长对口；定点联系这一户；" in offer


def test_what_is_not_his_subject_goes_to_whose_it_is(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    case, _ = new_case(village, UNKNOWN_PEPPER)
    assert (case.holder, case.assigned) == (LV.id, DEPUTY.id)


def test_another_farmers_questions_go_the_usual_way(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    village.presses(LI, "case:1:cancel")
    assert new_case(village, UNKNOWN_BEES, ZHANG)[0].holder == WANG.id


def test_somebody_in_danger_is_given_to_whoever_is_nearest_and_freest(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    case, _ = new_case(village, STUNG)
    assert (case.is_urgent, case.holder) == (True, WANG.id)


def test_leave_and_a_no_send_it_to_the_next():
    village = Village(*PEOPLE, on_leave(DEPUTY, Village().now.date(), Village().now.date()))
    village.says(LI, UNKNOWN_BEES)
    village.says(DESK_CHAT, "#1 定点 周副")
    assert new_case(village, UNKNOWN_BEES)[0].holder == WANG.id


def test_his_no_sends_it_to_the_next(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    case, _ = new_case(village, UNKNOWN_BEES)
    village.presses(DEPUTY_CHAT, f"case:{case.number}:decline")
    assert village.cases[case.number].holder == WANG.id


def test_it_ends_at_a_dispatchers_word(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    turn = village.says(DESK_CHAT, "#1 取消定点")
    assert told(turn, DESK_CHAT) == [said("assign.ended", number=1)]
    assert told(turn, DEPUTY_CHAT) == [said("assign.ended_told", number=1, words=UNKNOWN_BEES)]
    assert (village.cases[1].assigned, village.events[-1].note) == (None, "取消")
    assert new_case(village, UNKNOWN_BEES)[0].holder == WANG.id


def test_whose_farmer_it_was_hears_that_it_is_anothers_now(village):
    village.says(DESK_CHAT, "#1 定点 周副")
    turn = village.says(DESK_CHAT, "#1 定点 吕玉奎")
    assert told(turn, DEPUTY_CHAT) == [said("assign.ended_told", number=1, words=UNKNOWN_BEES)]
    assert village.cases[1].assigned == LV.id


def test_every_case_of_the_farmer_at_hand_shows_it(village):
    village.says(LI, UNKNOWN_PEPPER)
    village.presses(LI, "person:2")
    village.says(ZHANG, UNKNOWN_BEES)
    village.says(DESK_CHAT, "#1 定点 周副")
    assert {one.number: one.assigned for one in village.cases.values()} == {
        1: DEPUTY.id,
        2: DEPUTY.id,
        3: None,
    }


def test_whoever_has_the_case_asks_for_it_and_the_dispatchers_button_decides(village):
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.says(WANG_CHAT, "#1 定点")
    assert told(turn, WANG_CHAT) == [said("assign.asked", number=1)]
    assert told(turn, DESK_CHAT) == [
        said("assign.ask", who="王瑞生", number=1, words=UNKNOWN_BEES, name="王瑞生")
    ]
    assert (turn.assigns, turn.changes) == (None, ())
    [press] = buttons(turn, DESK_CHAT)
    assert village.presses(DESK_CHAT, press).assigns == Assignment(LI, WANG.id)
    asked = village.says(WANG_CHAT, "#1 取消定点")
    [end] = buttons(asked, DESK_CHAT)
    assert village.presses(DESK_CHAT, end).assigns == Assignment(LI, None)


@pytest.mark.parametrize("words", ["#1 定点", "#1 定点 吕玉奎", "#1 取消定点"])
def test_whom_the_case_does_not_concern_changes_nothing(village, words):
    turn = village.says(QIN_CHAT, words)
    assert (turn.changes, turn.assigns, told(turn, DESK_CHAT), told(turn, LI)) == ((), None, [], [])


@pytest.mark.parametrize("words", ["#1 定点", "#1 定点 张三丰", f"#1 定点 {DISPATCHER.name}"])
def test_a_dispatcher_who_names_no_commissioner_is_told_whom_he_may_name(village, words):
    turn = village.says(DESK_CHAT, words)
    names = "王瑞生、吕玉奎、秦兆华、周副"
    assert told(turn, DESK_CHAT) == [said("assign.whom", number=1, names=names)]
    assert turn.assigns is None


def test_what_is_so_already_is_said_to_be_so(village):
    assert told(village.says(DESK_CHAT, "#1 取消定点"), DESK_CHAT) == [
        said("assign.none", number=1)
    ]
    village.says(DESK_CHAT, "#1 定点 周副")
    turn = village.says(DESK_CHAT, "#1 定点联系 周副")
    assert told(turn, DESK_CHAT) == [said("assign.before", number=1, name="周副")]
    assert turn.changes == ()


def test_words_that_only_begin_like_it_are_an_answer(village):
    turn = village.says(WANG_CHAT, "#1 定点放蜂，莫转场")
    assert any("定点放蜂，莫转场" in text for text in told(turn, LI))
    assert village.cases[1].state is CaseState.ANSWERED
