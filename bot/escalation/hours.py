"""When people work and when farmers are left in peace, in China's time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain import CHINA

_FURTHEST = 30  # days looked ahead: no holiday is as long


@dataclass(frozen=True, slots=True)
class Hours:
    """Of a working day from `opens` to `closes`, and of any day from `wakes` to `rests`."""

    is_workday: Callable[[date], bool]
    opens: time = time(8, 30)
    closes: time = time(18, 0)
    wakes: time = time(7, 30)
    rests: time = time(21, 0)

    def working(self, at: datetime) -> datetime:
        """`at`, or the next moment at which people work."""
        return _next(at, self.opens, self.closes, self.is_workday)

    def waking(self, at: datetime) -> datetime:
        """`at`, or the next moment at which a farmer may be written to unasked."""
        return _next(at, self.wakes, self.rests, _any_day)

    def after(self, at: datetime, wait: timedelta) -> datetime:
        """When somebody has had `wait` to act: it begins and ends in working hours."""
        return self.working(self.working(at) + wait)


def _any_day(day: date) -> bool:
    del day
    return True


ALWAYS = Hours(_any_day, time.min, time.max, time.min, time.max)


def _next(at: datetime, first: time, last: time, is_open: Callable[[date], bool]) -> datetime:
    """`at` itself where no day is open for long: a wrong calendar must not stop the work."""
    today = at.astimezone(CHINA).date()
    for days in range(_FURTHEST + 1):
        day = today + timedelta(days=days)
        if is_open(day) and at <= datetime.combine(day, last, CHINA):
            return max(at, datetime.combine(day, first, CHINA))
    return at


def day_and_hour(at: datetime, now: datetime) -> str:
    """A time to come as people say it: 今天 8:30, 明天 8:30, 10月8日 8:30."""
    here, today = at.astimezone(CHINA), now.astimezone(CHINA).date()
    near = {0: "今天", 1: "明天", 2: "后天"}
    day = near.get((here.date() - today).days, f"{here.month}月{here.day}日")
    return f"{day} {here.hour}:{here:%M}"
