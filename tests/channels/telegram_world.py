"""The channel on a fake Bot API and a real store, as the Telegram tests use it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from bot.channels.base import NO_PICTURES, Bell, Pictures
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.settings import TelegramSettings
from bot.domain import Address, Incoming, Media, Outgoing, paragraphs
from bot.store import Store

from .fake_telegram import TOKEN, FakeTelegram

ALICE, BOB = 501, 502  # two farmers
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SETTLED = timedelta(seconds=5)
LEASE = timedelta(minutes=1)
LONG_ENOUGH = 10.0  # seconds for what happens at once on a slow machine


def clock() -> datetime:
    return NOON


def settings(url: str, **changes: Any) -> TelegramSettings:
    """For the Bot API at `url`; nobody waits long in a test."""
    at = {"base_url": f"{url}/bot", "base_file_url": f"{url}/file/bot"}
    brief = {"timeout": 0.5, "poll_seconds": 2, "backoff": 0.02}
    return TelegramSettings(**{"token": TOKEN, **at, **brief, **changes})


def open_store(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / 'tianwen.db'}", commissioners=())


def photo(colour: str = "green", size: tuple[int, int] = (40, 30)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


def to(user: int, *texts: str, **fields: Any) -> Outgoing:
    return Outgoing(Address("telegram", str(user)), paragraphs(*texts), **fields)


@dataclass
class World:
    telegram: FakeTelegram
    store: Store
    channel: TelegramChannel
    bell: Bell

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with listening(self.channel):
            yield

    async def take(self) -> Incoming | None:
        """The next message as the worker reads it; it is done afterwards."""
        arrivals = await self.claim()
        try:
            return await self.channel.read(arrivals)
        finally:
            self.store.inbox.drop(arrivals, NOON)

    async def claim(self) -> Any:
        return await eventually(lambda: self.store.inbox.claim(NOON + SETTLED, lease=LEASE))

    def is_idle(self) -> bool:
        return not self.store.inbox.claim(NOON + SETTLED, lease=LEASE)

    async def confirmed(self) -> None:
        """Return when Telegram has been told that everything was received."""
        await eventually(lambda: not self.telegram.updates)

    def keep(self, content: bytes, mime: str = "image/jpeg") -> str:
        return self.store.media.keep(Media(mime, content), NOON)


@asynccontextmanager
async def open_world(
    folder: Path, *, pictures: Pictures = NO_PICTURES, **changes: Any
) -> AsyncIterator[World]:
    async with FakeTelegram().running() as telegram:
        store = open_store(folder)
        bell = Bell()
        chosen = settings(telegram.url, **changes)
        channel = TelegramChannel(chosen, store, bell, clock, pictures=pictures)
        try:
            yield World(telegram, store, channel, bell)
        finally:
            await channel.close()
            store.close()


@asynccontextmanager
async def listening(channel: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(channel.listen())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(look: Any) -> Any:
    """What `look` gives once it is true."""
    async with asyncio.timeout(LONG_ENOUGH):
        while not (seen := look()):  # noqa: ASYNC110 - other processes ring no bell
            await asyncio.sleep(0.01)
    return seen
