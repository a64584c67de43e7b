"""The WeChat channel behind a real server, with delivery, and somebody slow who answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette

from bot.channels.base import NO_PICTURES, Bell, Pictures
from bot.channels.links import Links
from bot.channels.wechat.channel import WeChatChannel
from bot.channels.wechat.settings import WeChatSettings
from bot.delivery import Delivery
from bot.domain import Address, Button, Memory, Outgoing, Turn, paragraphs
from bot.store import Store
from tests import cast

from .fake_telegram import serving
from .fake_wechat import APP, KEY, SECRET, TOKEN, FakeWeChat

LEASE = timedelta(minutes=1)
ALICE, BOB = "oAlice", "oBob"


def clock() -> datetime:
    return datetime.now(UTC)


def settings(wechat: FakeWeChat, **changes: Any) -> WeChatSettings:
    """The platform's seconds at the fake's pace."""
    paced = {"hold": 4.5 * wechat.pace, "last_hold": 4.2 * wechat.pace, "hang": 7 * wechat.pace}
    keys = {"app_id": APP, "token": TOKEN, "keys": (KEY,), "secret": SECRET}
    at = {"base_url": wechat.api, "picture_hosts": (".127.0.0.1",), "pushes": wechat.pushes}
    return WeChatSettings(**{**keys, **at, **paced, "timeout": 2.0, **changes})


@dataclass
class World:
    """`slow` is how many of the platform's seconds an answer to some words takes."""

    wechat: FakeWeChat
    store: Store
    channel: WeChatChannel
    bell: Bell
    due: Bell
    url: str = ""
    slow: dict[str, float] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    buttons: tuple[Button, ...] = ()

    async def says(self, text: str, who: str = ALICE) -> str:
        return await self.wechat.says(self.url, who, text)

    def seen(self, who: str = ALICE) -> list[str]:
        return self.wechat.phone(who).seen

    def writes(self, text: str, who: str = ALICE, **fields: Any) -> None:
        """A commissioner writes to a farmer."""
        to = Address("wechat", who)
        words = Outgoing(to, paragraphs(text), purpose="relay", **fields)
        self.store.outbox.post([words], clock())
        self.due.ring("wechat")

    async def answer(self) -> None:
        """The conversation, as slow as it is told to be: users side by side, each in order."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                arrivals = await asyncio.to_thread(self.store.inbox.claim, clock(), lease=LEASE)
                if arrivals:
                    tasks.create_task(self._turn(arrivals))
                else:
                    await self.bell.wait(seconds=0.02)

    async def _turn(self, arrivals: Any) -> None:
        incoming = await self.channel.read(arrivals)
        if incoming is None:
            await asyncio.to_thread(self.store.inbox.drop, arrivals, clock())
            return
        said = incoming.text or f"按了{incoming.press}"
        self.taken.append(said)
        await asyncio.sleep(self.slow.get(said, 0) * self.wechat.pace)
        reply = Outgoing(incoming.sender, paragraphs(f"答：{said}"), self.buttons)
        turn = Turn((reply,), Memory())
        await asyncio.to_thread(self.store.inbox.save, turn, incoming, arrivals, clock())
        self.due.ring("wechat")


@asynccontextmanager
async def open_world(
    url: str, *, pushes: bool, pace: float = 0.1, pictures: Pictures = NO_PICTURES
) -> AsyncIterator[World]:
    wechat = FakeWeChat(clock, pace=pace, pushes=pushes)
    async with wechat.running():
        store, bell, due = Store.open(url, commissioners=()), Bell(), Bell()
        links = Links("https://tianwen.test", TOKEN, clock)
        channel = WeChatChannel(
            settings(wechat),
            store,
            bell,
            clock,
            say=cast.phrases(),
            link=lambda user: links.to(Address("wechat", user)),
            pictures=pictures,
        )
        world = World(wechat, store, channel, bell, due)
        delivery = Delivery(store, [channel], phrases=cast.phrases(), due=due, clock=clock)
        async with serving(Starlette(routes=channel.routes())) as world.url:
            jobs = (world.answer(), delivery.run(), channel.listen())
            tasks = [asyncio.create_task(one) for one in jobs]
            try:
                yield world
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                await channel.close()
        store.close()


async def until_held(world: World, count: int) -> None:
    while world.store.outbox.tally().get("held", 0) < count:  # noqa: ASYNC110 - the store is deaf
        await asyncio.sleep(0.01)
