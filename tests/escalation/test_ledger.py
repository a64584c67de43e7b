"""What counts in a year, what is missing, and the grade."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain import Deed, Entered, Line
from bot.escalation.ledger import Grade, Targets, may, standing
from tests.cast import DISPATCHER, LV, WANG

START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


def line(number, deed=Deed.SERVICE, *, who=WANG.id, case=None, about=None, day=0, at=None):
    case = case or (number if deed is Deed.SERVICE else None)
    entered = Entered(deed, who, who, case, about)
    return Line(number, at or START + timedelta(days=day), entered, "")


def of(*lines, targets=Targets()):  # noqa: B008 - a frozen value
    return standing(WANG.id, lines, 2026, targets)


def numbers(lines):
    return [one.number for one in lines]


def test_delivered_answers_and_suggestions_count_for_whoever_gave_them():
    own = of(line(1), line(2, who=LV.id), line(3, Deed.SUGGESTION))
    assert (numbers(own.services), numbers(own.suggestions)) == ([1], [3])
    assert (own.missing_services, own.missing_suggestions) == (23, 1)


def test_however_many_answers_a_case_takes_it_is_one_service():
    own = of(line(1, case=12), line(2, case=12, day=40), line(3, case=13))
    assert (numbers(own.services), numbers(own.repeats), own.counted) == ([1, 3], [2], 2)


def test_one_answer_given_to_several_cases_is_one_service():
    first, again = line(1, case=12), line(2, case=13)
    again = replace(again, entered=replace(again.entered, proof={"same_as": 12}))
    own = of(first, again, line(3, case=14))
    assert (numbers(own.services), numbers(own.repeats)) == ([1, 3], [2])


def test_visits_and_calls_count_until_the_farmer_denies_them():
    visits = line(1, Deed.VISIT), line(2, Deed.CALL), line(3, Deed.CALL)
    denied, confirmed = line(4, Deed.DENIED, about=2), line(5, Deed.CONFIRMED, about=3)
    own = of(*visits, denied, confirmed)
    assert (numbers(own.services), numbers(own.struck)) == ([1, 3], [2])
    assert numbers(of(*visits, denied, line(6, Deed.RESTORED, about=2)).services) == [1, 2, 3]
    assert may(Deed.RESTORED, visits[1], [denied], DISPATCHER)
    assert may(Deed.APPEAL, visits[1], [denied], WANG)
    assert not may(Deed.STRUCK, visits[1], [denied], DISPATCHER)
    assert may(Deed.STRUCK, visits[2], [confirmed], DISPATCHER)


def test_a_visit_belongs_to_the_day_it_was_made():
    told = line(1, Deed.VISIT, day=9)
    told = replace(told, entered=replace(told.entered, proof={"day": "2026-01-03"}))
    assert told.day == date(2026, 1, 3)


def test_where_days_count_several_services_of_a_day_are_one():
    lines = [line(1), line(2), line(3, day=1)]
    assert of(*lines).counted == 3
    assert of(*lines, targets=Targets(counted_by="days")).counted == 2


@pytest.mark.parametrize(
    ("at", "year"),
    [
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), 2025),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), 2027),
    ],
)
def test_a_year_is_one_in_china(at, year):
    assert bool(of(line(1, at=at)).services) == (year == 2026)


def test_what_was_struck_counts_no_more_unless_it_was_restored():
    struck = [line(1), line(2), line(3, Deed.STRUCK, about=1)]
    assert (numbers(of(*struck).services), numbers(of(*struck).struck)) == ([2], [1])
    appealed = [*struck, line(4, Deed.APPEAL, about=1)]
    assert numbers(of(*appealed).struck) == [1]
    restored = [*appealed, line(5, Deed.RESTORED, about=1)]
    assert (numbers(of(*restored).services), of(*restored).struck) == ([1, 2], ())
    assert numbers(of(*restored, line(6, Deed.STRUCK, about=1)).struck) == [1]


def test_a_correction_of_the_year_after_still_counts():
    late = line(2, Deed.STRUCK, about=1, at=START.replace(year=2027))
    assert numbers(of(line(1), late).struck) == [1]


def test_where_the_first_answer_to_a_case_was_struck_the_next_one_counts():
    own = of(line(1, case=12), line(2, case=12), line(3, Deed.STRUCK, about=1))
    assert (numbers(own.services), own.repeats) == ([2], ())


@pytest.mark.parametrize(
    ("services", "suggestions", "grade"),
    [(48, 3, "优秀"), (48, 2, "良好"), (24, 2, "合格"), (60, 1, "不合格"), (23, 9, "不合格")],
)
def test_the_best_grade_of_which_both_numbers_are_reached(services, suggestions, grade):
    lines = [line(n) for n in range(1, services + 1)]
    lines += [line(100 + n, Deed.SUGGESTION) for n in range(suggestions)]
    assert of(*lines).grade == grade


def test_grades_are_what_the_office_sets():
    targets = replace(Targets(), grades=(Grade("达标", 1, 0),))
    assert (of(line(1), targets=targets).grade, of(targets=targets).grade) == ("达标", "不合格")


def test_days_left_count_today_and_end_with_the_year():
    own = of()
    assert [own.days_left(date(2026, 12, day)) for day in (1, 31)] == [31, 1]
    assert own.days_left(date(2027, 1, 1)) == 0


def test_a_line_is_reviewed_once_and_only_while_it_counts():
    answer = line(1)
    reviewed, struck = line(2, Deed.REVIEWED, about=1), line(3, Deed.STRUCK, about=1)
    assert may(Deed.REVIEWED, answer, [], DISPATCHER)
    assert not may(Deed.REVIEWED, answer, [reviewed], DISPATCHER)
    assert not may(Deed.REVIEWED, answer, [struck], DISPATCHER)
    assert not may(Deed.REVIEWED, answer, [], WANG)
    assert may(Deed.STRUCK, answer, [reviewed], DISPATCHER)
    assert numbers(of(answer, reviewed).services) == [1]


def test_a_suggestion_is_answered_by_the_office():
    suggestion = line(1, Deed.SUGGESTION)
    assert may(Deed.REPLIED, suggestion, [], DISPATCHER)
    assert not may(Deed.REPLIED, suggestion, [], WANG)
    assert not may(Deed.REPLIED, line(2), [], DISPATCHER)
