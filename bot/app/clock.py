"""Looks after cases whose time has come. Timers are rows, so restarts lose none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from bot.channels.base import Bell
from bot.domain import Case, Context
from bot.errors import Conflict
from bot.escalation.desk import Desk
from bot.escalation.follow_up import follow_up
from bot.store import Store

logger = logging.getLogger(__name__)

EVERY_SECONDS = 15.0


class FollowUpClock:
    """One turn for each overdue case; on several machines the case's version keeps it one."""

    def __init__(
        self, store: Store, desk: Desk, *, due: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._desk = desk
        self._due = due
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                for channel in await asyncio.to_thread(self.tick):
                    self._due.ring(channel)
            except Exception:
                logger.exception("follow-up failed, looking again in a while")
            await asyncio.sleep(EVERY_SECONDS)

    def tick(self) -> set[str]:
        """Follow up everything overdue; the channels that have something to send now."""
        overdue = self._store.cases.overdue(self._clock())
        return {channel for case in overdue for channel in self._follow_up(case)}

    def _follow_up(self, case: Case) -> set[str]:
        now = self._clock()
        context = Context(
            now, load=self._store.cases.load(), addresses=self._store.cases.addresses()
        )
        turn = follow_up(case, context, self._desk)
        try:
            self._store.inbox.save_follow_up(turn, now)
        except Conflict:
            return set()  # somebody moved the case just now
        return {reply.to.channel for reply in turn.replies}
