"""Who is asked, in which order, and why not."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.domain import CaseState, Context, Question, Reason, Weekday
from bot.escalation.desk import Why
from bot.escalation.roster import Roster
from tests.cast import ADDRESSES, DEPUTY, DISPATCHER, LI, LV, NOW, WANG, desk, on_leave

HAN = replace(WANG, id="han", name="韩三", townships=("仁义镇",))
DAY = date(2026, 11, 23)


def consider(people, township=None, *, speciality="beekeeping", load=None, served=None, passed=()):
    return Roster(people).consider(
        speciality, township, day=DAY, load=load or {}, served=served or {}, passed=passed
    )


@pytest.mark.parametrize(
    ("township", "load", "order"),
    [
        (None, {}, ["han", "wang-ruisheng", "zhou-fu"]),
        ("盘龙镇", {}, ["zhou-fu", "wang-ruisheng", "han"]),
        ("仁义镇", {}, ["han", "wang-ruisheng", "zhou-fu"]),
        ("安富街道", {}, ["wang-ruisheng", "han", "zhou-fu"]),
        (None, {"zhou-fu": 1, "han": 3}, ["wang-ruisheng", "zhou-fu", "han"]),
        ("盘龙镇", {"zhou-fu": 9}, ["zhou-fu", "wang-ruisheng", "han"]),
    ],
)
def test_township_comes_first_then_the_lighter_load(township, load, order):
    found = consider([WANG, LV, DISPATCHER, DEPUTY, HAN], township, load=load)
    assert [one.commissioner for one in found] == order
    assert all(one.is_eligible for one in found)


def test_all_else_equal_whoever_served_less_this_year_comes_first():
    other = replace(WANG, id="aaa")
    served = {"aaa": 7, WANG.id: 6}
    found = consider([WANG, other], served=served)
    assert [one.commissioner for one in found] == [WANG.id, "aaa"]
    assert "今年答过 6 次" in found[0].note


@pytest.mark.parametrize(
    ("person", "load", "passed", "against"),
    [
        (on_leave(WANG, DAY, DAY), {}, (), "请假"),
        (WANG, {WANG.id: 10}, (), "手上已满"),
        (WANG, {}, (WANG.id,), "已退回或没接"),
    ],
)
def test_leave_a_full_desk_or_a_no_speak_against_somebody(person, load, passed, against):
    (found,) = Roster([person]).consider(
        "beekeeping", None, day=DAY, load=load, served={}, passed=passed
    )
    assert not found.is_eligible
    assert (
        found.note
        == f"专长对口；服务全区；手上 {load.get(WANG.id, 0)} 件；今年答过 0 次；{against}"
    )


def test_the_note_names_the_township():
    near, far = Roster([DEPUTY, HAN]).consider(
        "beekeeping", "盘龙镇", day=DAY, load={}, served={}, passed=()
    )
    assert (near.note, far.note) == (
        "专长对口；负责盘龙镇；手上 0 件；今年答过 0 次",
        "专长对口；负责仁义镇；手上 0 件；今年答过 0 次",
    )


def test_no_subject_no_candidates():
    assert (
        Roster([WANG, DISPATCHER]).consider(None, None, day=DAY, load={}, served={}, passed=())
        == ()
    )


def test_one_who_left_shows_as_his_id():
    roster = Roster([WANG])
    assert [roster.name(who) for who in (WANG.id, "gone", None)] == ["王瑞生", "gone", "分诊员"]


@pytest.mark.parametrize(
    ("hour", "holder"), [(15, WANG.id), (16, None), (23, None)], ids=["23:00", "0:00", "7:00"]
)
def test_a_day_of_leave_is_a_day_in_china(hour, holder):
    away = on_leave(WANG, date(2026, 11, 24), date(2026, 11, 24))
    now = datetime(2026, 11, 23, hour, tzinfo=UTC)
    why = Why(Reason.NO_MATCH, "beekeeping")
    step = desk((away, DISPATCHER)).open(
        1, LI, Question(1, "蜂子跑了"), why, Context(now, addresses=ADDRESSES)
    )
    assert step.case.holder == holder
    assert step.case.state is (CaseState.OFFERED if holder else CaseState.UNPLACED)
    assert step.case.opened_at == now != NOW


def test_whoever_is_on_duty_that_weekday_is_asked_first():
    monday, tuesday = (
        replace(WANG, id="mon", duty=(Weekday.MONDAY,)),
        replace(WANG, id="a", duty=(Weekday.TUESDAY,)),
    )
    found = consider([tuesday, monday], load={"mon": 1})
    assert [one.commissioner for one in found] == ["mon", "a"]
    assert "今天值班" in found[0].note
    assert "今天不值班" in found[1].note
    assert found[1].is_eligible
