"""The whole `tianwen serve` as a process on a clock that jumps from one thing to the next.

A line on the standard input is a command, a line that begins with "@" on the output its answer:
`until T` plays everything that time brings before T, `now T` sets the clock. The clock moves only
while every loop of the service rests at its bell: at one instant all is said that is to be said.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bot.app.clock import FOLLOW_UP, SWEEPING
from bot.app.compose import build_core
from bot.app.outbreak_watch import OUTBREAKS
from bot.app.service import WORKERS
from bot.app.serving import Pace, open_door, serve
from bot.channels.base import Bell
from bot.config import Config, load
from bot.store import Store
from bot.store.tables import cases

CHANNELS = ("telegram", "web", "desk")
ROUTINES = {OUTBREAKS: "%d %H", SWEEPING: "%d"}  # how often each is called: when this changes
MOMENT = timedelta(milliseconds=1)
IDLE = 2.0  # seconds a loop rests where nothing calls: shorter rests end at a time it knows
FIRST_TIMER = select(func.min(cases.c.due_at)).where(cases.c.is_open.is_(True))


@dataclass
class FastClock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


class HeardBell(Bell):
    """Knows who rests at it, and for how long."""

    def __init__(self, moved: asyncio.Event) -> None:
        super().__init__()
        self.resting: Counter[str] = Counter()
        self.rests: dict[str, float] = {}
        self._moved = moved

    async def wait(self, key: str = "", *, seconds: float) -> None:
        self.resting[key] += 1
        self.rests[key] = seconds
        self._moved.set()
        try:
            await super().wait(key, seconds=seconds)
        finally:
            self.resting[key] -= 1

    def is_quiet(self, key: str, sleepers: int) -> bool:
        """Whether so many rest, and nobody was called who has not woken up yet."""
        called = any(one.done() for one in self._sleepers.get(key, ()))
        return self.resting[key] == sleepers and not (called or key in self._rung)


@dataclass
class Jumper:
    """Moves the clock of one service."""

    clock: FastClock
    store: Store
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.arrived, self.due = HeardBell(self.moved), HeardBell(self.moved)

    @property
    def pace(self) -> Pace:
        return Pace(self.clock, self.arrived, self.due)

    async def idle(self) -> None:
        """Return when everything rests."""
        while not self._rests():
            self.moved.clear()
            await self.moved.wait()

    def _rests(self) -> bool:
        alone = (*CHANNELS, *ROUTINES, FOLLOW_UP)
        return self.arrived.is_quiet("", WORKERS) and all(
            self.due.is_quiet(one, 1) for one in alone
        )

    async def until(self, then: datetime) -> None:
        while True:
            await self.idle()
            soonest, calls = await self._next()
            if soonest is None or soonest >= then:
                return
            self.clock.now = max(soonest, self.clock.now + MOMENT)
            for one in calls:
                self.due.ring(one)
            if not calls:
                self._ring()

    async def set(self, then: datetime) -> None:
        routines = _routines(self.clock.now, then)
        self.clock.now = then
        self._ring()
        for one in routines:
            self.due.ring(one)
        await self.idle()

    def _ring(self) -> None:
        self.arrived.ring()
        for one in (*CHANNELS, FOLLOW_UP):
            self.due.ring(one)

    async def _next(self) -> tuple[datetime | None, list[str]]:
        """When something is to happen, and whom that concerns; nobody by name: all."""
        rests = {one: self.due.rests[one] for one in CHANNELS}
        if short := {one: seconds for one, seconds in rests.items() if seconds < IDLE}:
            seconds = min(short.values())
            return self.clock.now + timedelta(seconds=seconds), list(short)
        return await asyncio.to_thread(self._next_row), []

    def _next_row(self) -> datetime | None:
        times = [self.store.inbox.next_at(), *map(self.store.outbox.next_at, CHANNELS)]
        with self.store.database.read() as connection:
            times.append(connection.execute(FIRST_TIMER).scalar_one())
        return min(filter(None, times), default=None)


def _routines(before: datetime, now: datetime) -> list[str]:
    return [one for one, often in ROUTINES.items() if f"{before:{often}}" != f"{now:{often}}"]


async def _obey(jumper: Jumper) -> None:
    """Commands, one after the other, until the input ends."""
    await jumper.idle()
    _say("open")
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        verb, time = line.decode().split()
        await {"until": jumper.until, "now": jumper.set}[verb](datetime.fromisoformat(time))
        _say("done")


def _say(word: str) -> None:
    print(f"@{word}", flush=True)


async def _run(config: Config, start: datetime) -> None:
    core = build_core(config, lambda what: lambda done, total: None)
    store = Store.open(config.database, commissioners=config.commissioners)
    jumper = Jumper(FastClock(start), store)
    with open_door(config.web) as door:
        obeying = asyncio.create_task(_obey(jumper))
        try:
            await serve(core, door, jumper.pace)
        finally:
            obeying.cancel()
            store.close()


def main(home: str, port: str, start: str) -> None:
    config = load(Path(home), os.environ)
    config = replace(config, web=config.web.model_copy(update={"port": int(port)}))
    asyncio.run(_run(config, datetime.fromisoformat(start)))


if __name__ == "__main__":
    profile = cProfile.Profile()
    if path := os.environ.get("TIANWEN_PROFILE"):
        profile.runcall(main, *sys.argv[1:])
        profile.dump_stats(path)
    else:
        main(*sys.argv[1:])
