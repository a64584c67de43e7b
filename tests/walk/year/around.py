"""What everybody of the district has around him: chance, the time, and a plan of what comes."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from bot.domain import CHINA
from tests.walk.year.wire import Wire
from tests.walk.year.words import Speech

START = datetime(2026, 1, 1, 8, 0, tzinfo=CHINA)
Act = Callable[[], Awaitable[None]]


@dataclass(kw_only=True)
class Colleague:
    """Whom commissioners know by name."""

    id: str
    name: str
    subject: str
    leave: tuple[date, date]


@dataclass(kw_only=True)
class Around:
    speech: Speech
    chance: random.Random
    now: datetime = START
    did: Counter[str] = field(default_factory=Counter)  # how often what was done
    wire: Wire = field(default_factory=Wire)
    register: list[Colleague] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plans: list[tuple[datetime, int, Act]] = []
        self._order = count()

    def later(self, hours: float, act: Act, *, spread: bool = True, by_day: bool = False) -> None:
        """After about so many hours; exactly so many unless `spread`."""
        wait = self.chance.expovariate(1 / hours) if spread else hours
        self.plan(self.now + timedelta(hours=wait), act, by_day=by_day)

    def plan(self, at: datetime, act: Act, *, by_day: bool = False) -> None:
        local = at.astimezone(CHINA)
        if by_day and not 7 <= local.hour < 21:
            morning = local.replace(hour=7, minute=30) + timedelta(days=local.hour >= 21)
            at = morning + timedelta(minutes=self.chance.randrange(180))
        heapq.heappush(self.plans, (at, next(self._order), act))

    def is_away(self, person: Colleague) -> bool:
        first, last = person.leave
        return first <= self.now.date() <= last

    def name(self, commissioner: str) -> str:
        return next(one.name for one in self.register if one.id == commissioner)

    def colleague(self, me: Colleague) -> Colleague:
        """Somebody at work, of the same subject where I have one."""
        others = [one for one in self.register if one.id != me.id and not self.is_away(one)]
        return self.chance.choice([one for one in others if me.subject in {"", one.subject}])
