"""Reads config/calendar.yaml: working hours, quiet hours, and days that differ from the law's.

China's public holidays with their make-up working days come with the package chinesecalendar, a
year at a time; of years that it does not know yet, Monday to Friday are worked.
"""

from __future__ import annotations

from datetime import date, time
from functools import partial
from typing import Annotated

import chinese_calendar
from pydantic import BeforeValidator, model_validator

from bot.escalation.hours import Hours
from bot.reading.fields import Day, Shape, wrong

CALENDAR = "calendar.yaml"
_WEEKEND = 5  # Saturday, as date.weekday() counts


def _clock(value: object) -> object:
    try:
        if isinstance(value, str):
            return time.fromisoformat(value if len(value) > 4 else f"0{value}")
    except ValueError:
        pass
    raise wrong("时间不对。", "写成 08:30 的样子。")


Clock = Annotated[time, BeforeValidator(_clock)]


class SpanShape(Shape):
    """From one time of day to another of the same day."""

    first: Clock
    last: Clock

    @model_validator(mode="after")
    def _forward(self) -> SpanShape:
        if self.first >= self.last:
            raise ValueError("first 要早于 last")
        return self


class CalendarShape(Shape):
    work: SpanShape
    awake: SpanShape
    holidays: tuple[Day, ...] = ()
    workdays: tuple[Day, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> CalendarShape:
        if both := sorted(set(self.holidays) & set(self.workdays)):
            raise ValueError(f"又放假又上班的日子：{'、'.join(map(str, both))}")
        return self

    def build(self) -> Hours:
        is_workday = partial(_is_workday, frozenset(self.holidays), frozenset(self.workdays))
        return Hours(is_workday, self.work.first, self.work.last, self.awake.first, self.awake.last)


def knows(year: int) -> bool:
    """Whether the holidays of that year are known."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def _is_workday(holidays: frozenset[date], workdays: frozenset[date], day: date) -> bool:
    if day in holidays or day in workdays:
        return day in workdays
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < _WEEKEND
