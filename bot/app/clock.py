"""What time demands: overdue cases are followed up, what nobody needs is swept out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from bot.channels.base import Bell
from bot.domain import Case, Context, year_start
from bot.errors import Conflict, wordless
from bot.escalation.desk import Desk
from bot.escalation.follow_up import follow_up
from bot.store import Retention, Store

logger = logging.getLogger(__name__)

FOLLOW_UP, SWEEPING = "follow-up", "sweeping"
EVERY_SECONDS = 15.0
SWEEP_SECONDS = 24 * 3600.0


async def keep_looking(tick: Callable[[], set[str]], due: Bell, seconds: float, what: str) -> None:
    """`tick` again and again, in a thread; it gives the channels that have something to send.
    Ringing `due` with `what` has it look at once: the clock may have been set."""
    while True:
        try:
            for channel in await asyncio.to_thread(tick):
                due.ring(channel)
        except Exception:
            logger.exception("%s failed, looking again in a while", what)
        await due.wait(what, seconds=seconds)


class FollowUpClock:
    """One turn for each overdue case; on several machines the case's version keeps it one.
    Timers are rows, so restarts lose none."""

    def __init__(
        self, store: Store, desk: Desk, *, due: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._desk = desk
        self._due = due
        self._clock = clock

    async def run(self) -> None:
        await keep_looking(self.tick, self._due, EVERY_SECONDS, FOLLOW_UP)

    def tick(self) -> set[str]:
        """Follow up everything overdue; the channels that have something to send now."""
        overdue = self._store.cases.overdue(self._clock())
        return {channel for case in overdue for channel in self._tried(case)}

    def _tried(self, case: Case) -> set[str]:
        """One case that can't be followed up holds up no other."""
        try:
            return self._follow_up(case)
        except Conflict:
            return set()  # somebody moved the case just now
        except Exception as error:  # noqa: BLE001 - whatever it is, it will be tried again
            logger.error("case %d not followed up: %s", case.number, wordless(error))  # noqa: TRY400
            return set()

    def _follow_up(self, case: Case) -> set[str]:
        now = self._clock()
        context = Context(
            now,
            load=self._store.cases.load(),
            served=self._store.ledger.served(year_start(now)),
            addresses=self._store.cases.addresses(),
        )
        turn = follow_up(case, context, self._desk)
        self._store.inbox.save_follow_up(turn, now)
        return {reply.to.channel for reply in turn.replies}


class Sweeper:
    """Once at the start and then daily; on several machines each sweeps, which does no harm."""

    def __init__(
        self, store: Store, retention: Retention, *, due: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._retention = retention
        self._due = due
        self._clock = clock

    async def run(self) -> None:
        await keep_looking(self.tick, self._due, SWEEP_SECONDS, SWEEPING)

    def tick(self) -> set[str]:
        self._store.sweep(self._clock(), self._retention)
        return set()
