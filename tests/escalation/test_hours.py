"""Working hours, nights, holidays and make-up days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from bot.calendars import CalendarShape, knows
from bot.domain import CHINA, CaseState
from bot.escalation.desk import Timers
from bot.escalation.hours import ALWAYS, Hours, day_and_hour
from tests.cast import (
    LI,
    NOW,
    STUNG,
    UNKNOWN,
    UNKNOWN_BEES,
    WANG_CHAT,
    ZHANG,
    Village,
    a_case,
    said,
    told,
)

SHAPE = {
    "work": {"first": "08:30", "last": "18:00"},
    "awake": {"first": "7:30", "last": "21:00"},
}
HOURS = CalendarShape.model_validate(SHAPE).build()


def at(month, day, hour, minute=0, year=2026):
    return datetime(year, month, day, hour, minute, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (at(11, 24, 10), at(11, 24, 10)),  # a Tuesday
        (at(11, 24, 8), at(11, 24, 8, 30)),
        (at(11, 24, 18, 1), at(11, 25, 8, 30)),
        (at(11, 27, 20), at(11, 30, 8, 30)),  # over the weekend
        (at(9, 30, 19), at(10, 8, 8, 30)),  # over the National Day
        (at(10, 10, 9), at(10, 10, 9)),  # a Saturday, worked for it
        (at(1, 3, 9, year=2028), at(1, 3, 9, year=2028)),  # a Monday nobody knows of yet
        (at(1, 1, 9, year=2028), at(1, 3, 8, 30, year=2028)),
    ],
)
def test_people_work_on_working_days_by_day(now, then):
    assert HOURS.working(now) == then


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (at(10, 1, 20), at(10, 1, 20)),
        (at(10, 1, 23), at(10, 2, 7, 30)),
        (at(10, 1, 5), at(10, 1, 7, 30)),
    ],
)
def test_farmers_are_written_to_on_any_day_but_not_at_night(now, then):
    assert HOURS.waking(now) == then


@pytest.mark.parametrize(
    ("now", "hours", "then"),
    [
        (at(11, 24, 10), 2, at(11, 24, 12)),
        (at(11, 24, 23), 2, at(11, 25, 10, 30)),
        (at(11, 27, 17), 2, at(11, 30, 8, 30)),
        (at(11, 27, 10), 24, at(11, 30, 8, 30)),
    ],
)
def test_a_wait_begins_and_ends_in_working_hours(now, hours, then):
    assert HOURS.after(now, timedelta(hours=hours)) == then


def test_what_the_district_sets_comes_before_the_law():
    shape = SHAPE | {"holidays": ["2026-11-24"], "workdays": ["2026-11-28"]}
    hours = CalendarShape.model_validate(shape).build()
    assert hours.working(at(11, 24, 10)) == at(11, 25, 8, 30)
    assert hours.working(at(11, 28, 10)) == at(11, 28, 10)


def test_a_calendar_without_any_working_day_does_not_stop_the_work():
    assert Hours(lambda day: False).working(at(11, 24, 23)) == at(11, 24, 23)


@pytest.mark.parametrize(
    "wrong",
    [
        {"work": {"first": "18:00", "last": "08:30"}},
        {"work": {"first": "早上", "last": "18:00"}},
        {"holidays": ["2026-11-24"], "workdays": ["2026-11-24"]},
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"早于|时间|又放假"):
        CalendarShape.model_validate(SHAPE | wrong)


def test_the_holidays_of_this_year_are_known_and_those_of_later_ones_told_apart():
    assert (knows(2026), knows(2100)) == (True, False)


NIGHT = at(11, 24, 23)


@pytest.mark.parametrize(
    ("state", "is_urgent", "due"),
    [
        (CaseState.OFFERED, False, at(11, 25, 10, 30)),
        (CaseState.OFFERED, True, NIGHT + timedelta(minutes=10)),
        (CaseState.ACCEPTED, False, at(11, 26, 8, 30)),
        (CaseState.ACCEPTED, True, NIGHT + timedelta(days=1)),
        (CaseState.ASKED, False, at(11, 27, 7, 30)),
        (CaseState.ANSWERED, True, at(11, 28, 7, 30)),
        (CaseState.RESOLVED, False, None),
    ],
)
def test_timers_keep_to_the_hours_unless_it_is_urgent(state, is_urgent, due):
    assert Timers(hours=HOURS).due(a_case(state=state, is_urgent=is_urgent), NIGHT) == due


def test_always_is_any_time():
    midnight = datetime.combine(date(2026, 10, 1), time.max, CHINA)
    assert ALWAYS.working(midnight) == ALWAYS.waking(midnight) == midnight


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (at(11, 24, 8, 30), "今天 8:30"),
        (at(11, 25, 8, 30), "明天 8:30"),
        (at(11, 26, 14), "后天 14:00"),
        (at(12, 1, 8, 30), "12月1日 8:30"),
    ],
)
def test_a_time_to_come_is_said_as_people_say_it(then, words):
    assert day_and_hour(then, at(11, 24, 1)) == words


def test_a_farmer_who_asks_at_night_hears_when_people_are_back():
    village = Village(timers=Timers(hours=HOURS))
    assert said("case.off_hours", when="今天 8:30") not in told(village.says(LI, UNKNOWN), LI)[0]
    village = Village(timers=Timers(hours=HOURS))
    village.now = NOW.replace(hour=15)  # 23:00 in China
    assert said("case.off_hours", when="明天 8:30") in told(village.says(LI, UNKNOWN), LI)[0]


def test_at_night_others_are_written_to_without_a_sound_unless_somebody_is_in_danger():
    village = Village(timers=Timers(hours=HOURS))
    sounds = {reply.is_silent for reply in village.says(LI, UNKNOWN_BEES).replies}
    assert sounds == {False}
    village.now = NOW.replace(hour=15)  # 23:00 in China
    by_reader = {reply.to: reply.is_silent for reply in village.says(ZHANG, UNKNOWN_BEES).replies}
    assert by_reader == {ZHANG: False, WANG_CHAT: True}
    answered = village.says(WANG_CHAT, "#1 先把巢门关小")
    assert {reply.to: reply.is_silent for reply in answered.replies} == {WANG_CHAT: False, LI: True}
    assert not any(reply.is_silent for reply in village.says(LI, STUNG).replies)
