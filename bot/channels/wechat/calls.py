"""Which calls' messages have been taken: one look at the store for all who wait."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.store import Store

LOOK_SECONDS = 0.05


class Calls:
    """The open calls of this process."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = channel
        self._waiting: defaultdict[str, list[asyncio.Event]] = defaultdict(list)
        self._users: defaultdict[str, int] = defaultdict(int)
        self._begun = asyncio.Event()

    def is_open(self, user: str) -> bool:
        """Whether an answer to this user could go along with a call."""
        return self._users.get(user, 0) > 0

    @asynccontextmanager
    async def open(self, user: str) -> AsyncIterator[None]:
        self._users[user] += 1
        try:
            yield
        finally:
            self._users[user] -= 1
            if not self._users[user]:
                del self._users[user]

    async def taken(self, uid: str, *, seconds: float) -> bool:
        """Wait until the conversation has taken the message; False where that takes longer."""
        event = asyncio.Event()
        self._waiting[uid].append(event)
        self._begun.set()
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiting[uid].remove(event)
            if not self._waiting[uid]:
                del self._waiting[uid]

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            if not self._waiting:
                self._begun.clear()
                await self._begun.wait()
            uids = list(self._waiting)
            for uid in await asyncio.to_thread(self._store.windows.settled, self._channel, uids):
                for event in self._waiting.get(uid, ()):
                    event.set()
            await asyncio.sleep(LOOK_SECONDS)
