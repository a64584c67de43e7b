"""The WeChat channel: joins receiving, reading and sending over one account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.routing import BaseRoute

from bot.channels.base import NO_PICTURES, Bell, Pictures
from bot.channels.wechat.calls import Calls
from bot.channels.wechat.client import WeChatApi
from bot.channels.wechat.reading import Reader
from bot.channels.wechat.receiving import NAME, Receiver
from bot.channels.wechat.sending import Sender
from bot.channels.wechat.settings import WeChatSettings
from bot.channels.wechat.wording import Link, Wording
from bot.domain import Arrival, Incoming, Outgoing, Receipt
from bot.phrases import Phrases
from bot.store import Store


class WeChatChannel:
    """Farmers who follow an Official Account; the conversation's `user` is the openid."""

    name = NAME

    def __init__(
        self,
        settings: WeChatSettings,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
        *,
        say: Phrases,
        link: Link,
        pictures: Pictures = NO_PICTURES,
    ) -> None:
        self._api = WeChatApi(settings)
        self._calls = Calls(store, NAME)
        wording = Wording(say, link)
        self._receiver = Receiver(
            settings,
            self._api,
            store,
            arrived,
            clock,
            calls=self._calls,
            wording=wording,
            say=say,
        )
        self._reader = Reader(settings, self._api, store, clock)
        self._sender = Sender(
            settings,
            self._api,
            store,
            clock,
            calls=self._calls,
            wording=wording,
            pictures=pictures,
        )

    def routes(self) -> Sequence[BaseRoute]:
        return self._receiver.routes()

    async def listen(self) -> None:
        """Never returns; the messages come through the route."""
        await self._calls.watch()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return await self._reader.read(arrivals)

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self._sender.send(outgoing)

    async def close(self) -> None:
        """Close the connections; nothing can be sent afterwards."""
        await self._receiver.close()
        await self._reader.close()
        await self._api.close()
