"""The Telegram channel: joins receiving, reading and sending over one Bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.routing import BaseRoute

from bot.channels.base import NO_PICTURES, Bell, Pictures
from bot.channels.telegram.client import close_bot, open_bot
from bot.channels.telegram.receiving import Receiver
from bot.channels.telegram.sending import Sender
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.telegram.updates import Reader
from bot.domain import Arrival, Incoming, Outgoing, Receipt
from bot.store import Store


class TelegramChannel:
    """Private chats with the bot; the conversation's `user` is the chat's id.

    Group chats are left unread. Relays are sent anew, never forwarded: a forward would show
    the farmer's account.
    """

    name = "telegram"

    def __init__(
        self,
        settings: TelegramSettings,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
        *,
        pictures: Pictures = NO_PICTURES,
    ) -> None:
        self._settings = settings
        self._bot = open_bot(settings)
        self._receiver = Receiver(settings, self._bot, store, arrived, clock)
        self._reader = Reader(self._bot, store, clock)
        self._sender = Sender(self._bot, store, pictures)

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, or nothing when polling."""
        return self._receiver.routes()

    async def listen(self) -> None:
        """Never returns; raises ConfigError when Telegram refuses the token."""
        await self._receiver.show_menu()
        if self._settings.mode == "polling":
            await self._receiver.poll()
        await self._receiver.be_called()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return await self._reader.read(arrivals)

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self._sender.send(outgoing)

    async def close(self) -> None:
        """Close the connections; nothing can be sent afterwards."""
        await self._reader.close()
        await close_bot(self._bot)
