"""Runs the bot: channels, workers, delivery, follow-up and reload, side by side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.app.clock import FollowUpClock, Sweeper
from bot.app.compose import Core
from bot.app.library import Status
from bot.app.outbreak_watch import OutbreakWatch
from bot.app.worker import Worker
from bot.channels.base import Bell, Channel
from bot.config import RetentionShape
from bot.delivery import LIMITS, UNLIMITED, Delivery
from bot.store import Retention, State, Store

logger = logging.getLogger(__name__)

WORKERS = 4
RELOAD_SECONDS = 1.0
UNFINISHED = (State.NEW, State.PENDING, State.SENDING)


class Service:
    """Everything that runs side by side. The channels are given, already joined to the store.
    Whoever sets the clock rings the bells."""

    def __init__(
        self,
        core: Core,
        store: Store,
        channels: Collection[Channel],
        *,
        arrived: Bell,
        clock: Callable[[], datetime],
        due: Bell | None = None,
    ) -> None:
        self._store = store
        self._channels = channels
        self._bookshelf = core.bookshelf
        self._clock = clock
        due, leases = due or Bell(), core.config.leases
        self._worker = Worker(
            store,
            {channel.name: channel for channel in channels},
            core.conversation(store.inbox.draw_number),
            core.config.phrases,
            arrived=arrived,
            due=due,
            clock=clock,
            lease=timedelta(seconds=leases.take),
            pause=timedelta(seconds=core.config.answers.pause),
            keep=core.bookshelf.keep,
        )
        lease = timedelta(seconds=leases.send)
        limits = {
            one.name: replace(LIMITS.get(one.name, UNLIMITED), lease=lease) for one in channels
        }
        self._delivery = Delivery(
            store, channels, phrases=core.config.phrases, due=due, clock=clock, limits=limits
        )
        self._follow_up = FollowUpClock(store, core.desk, due=due, clock=clock)
        self._outbreaks = OutbreakWatch(core, store, due=due, clock=clock)
        self._sweeper = Sweeper(store, _retention(core.config.retention), due=due, clock=clock)
        self._listening: list[asyncio.Task[None]] = []
        self._note(core.status)

    async def run(self) -> None:
        """Until cancelled: turns and sends under way come to their end, nothing new is begun.
        A part that dies takes the rest down, loudly."""
        if self._store.database.is_sqlite:
            await asyncio.to_thread(self._store.inbox.recover)
        try:
            async with asyncio.TaskGroup() as group:
                self._listening = [group.create_task(one.listen()) for one in self._channels]
                for _ in range(WORKERS):
                    group.create_task(self._worker.run())
                group.create_task(self._delivery.run())
                group.create_task(self._follow_up.run())
                group.create_task(self._sweeper.run())
                group.create_task(self._outbreaks.run())
                group.create_task(self._reload())
        except ExceptionGroup as died:
            raise died.exceptions[0] from None  # the first; the others were told to stop
        finally:
            for channel in self._channels:
                await channel.close()

    async def listened_out(self) -> None:
        """Return when every channel has come to the end of its input and all is answered."""
        while not self._listening:  # noqa: ASYNC110 - one pass of the loop
            await asyncio.sleep(0)
        await asyncio.wait(self._listening)
        while await asyncio.to_thread(self._is_busy):  # noqa: ASYNC110 - only the store knows
            await asyncio.sleep(0.02)

    def _is_busy(self) -> bool:
        tallies = (self._store.inbox.tally(), self._store.outbox.tally())
        return any(tally.get(state) for tally in tallies for state in UNFINISHED)

    async def _reload(self) -> None:
        """Take over edited knowledge by itself; what is wrong with it is noted for staff."""
        news: Status | None = None  # kept until it is noted: the database may be away
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            try:
                news = await asyncio.to_thread(self._bookshelf.refresh, self._clock()) or news
                if news:
                    await asyncio.to_thread(self._note, news)
                    news = None
            except Exception:
                logger.exception("knowledge could not be looked at, or its state not noted")

    def _note(self, status: Status) -> None:
        self._store.notes.put("knowledge", status.as_note())


def _retention(shape: RetentionShape) -> Retention:
    return Retention(**{name: timedelta(days=days) for name, days in shape.model_dump().items()})
