"""The whole service in this process, with a real store and our own Telegram; and its people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.app.compose import Core, build_core
from bot.app.explaining import in_words
from bot.app.service import Service
from bot.channels.base import Bell, Channel, write_own
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.web import DeskChannel, WebChannel, WebSettings
from bot.channels.web import Library as DeskLibrary
from bot.config import load
from bot.domain import Address, Arrival, Case, CaseState
from bot.phrases import Phrases
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.telegram_world import settings

PATIENCE = 20.0  # seconds for what takes milliseconds on an idle machine
LOOK = 0.02
Message = dict[str, Any]


class Clock:
    """The real time, which a test may push forward."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def skip(self, **times: float) -> None:
        self._ahead += timedelta(**times)


def core_of(home: Path, environ: Mapping[str, str] | None = None) -> Core:
    return build_core(load(home, environ or {}), lambda what: lambda done, total: None)


async def until(
    look: Callable[[], Any], said: Callable[[], object] = lambda: "", *, seconds: float = PATIENCE
) -> Any:
    """What `look` gives once it is true; `said` tells what there was instead."""
    try:
        async with asyncio.timeout(seconds):
            while not (seen := look()):  # noqa: ASYNC110 - other processes ring no bell
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain; there was: {said()}") from None
    return seen


@dataclass
class Person:
    """Somebody on Telegram: reads a chat from top to bottom, and writes."""

    user: int
    telegram: FakeTelegram
    say: Phrases
    read: int = 0

    @property
    def address(self) -> Address:
        return Address("telegram", str(self.user))

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.telegram.sent if one["chat"]["id"] == self.user]

    @property
    def texts(self) -> list[str]:
        return [text_of(one) for one in self.messages]

    async def says(self, text: str, **fields: Any) -> int:
        return await self.telegram.says(self.user, text, **fields)

    async def replies(self, to: Message, text: str) -> None:
        await self.says(text, reply_to_message={**to, "chat": {"id": self.user, "type": "private"}})

    async def presses(self, verb: str, message: Message) -> None:
        """The button whose action begins so."""
        await self.telegram.presses(
            self.user, next(one for one in actions(message) if one.startswith(verb))
        )

    async def hears(self, *words: str) -> Message:
        """The next unread message that has all the words; it and all before it are read then."""
        return await self._finds(lambda one: all(word in text_of(one) for word in words), words)

    async def is_told(self, key: str, **blanks: object) -> Message:
        """The next message with this sentence of config/phrases.yaml."""
        return await self.hears(self.say(key, **blanks))

    async def is_offered(self, verb: str) -> Message:
        """The next message with a button whose action begins so."""
        return await self._finds(
            lambda one: any(action.startswith(verb) for action in actions(one)), verb
        )

    async def _finds(self, fits: Callable[[Message], bool], what: object) -> Message:
        def look() -> Message | None:
            for place, one in enumerate(self.messages[self.read :], self.read + 1):
                if fits(one):
                    self.read = place
                    return one
            return None

        return await until(look, lambda: (what, self.texts[self.read :]))

    def times(self, words: str) -> int:
        """How many messages have the words."""
        return sum(words in text for text in self.texts)


def actions(message: Message) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["callback_data"] for row in rows for button in row]


def text_of(message: Message) -> str:
    return str(message.get("text") or message.get("caption") or "")


@dataclass
class Village:
    """What one running service has around it."""

    core: Core
    store: Store
    telegram: FakeTelegram
    channel: TelegramChannel
    arrived: Bell
    clock: Clock
    _people: list[int] = field(default_factory=list)

    @property
    def say(self) -> Phrases:
        return self.core.config.phrases

    def somebody(self) -> Person:
        self._people.append(501 + len(self._people))
        return Person(self._people[-1], self.telegram, self.say)

    async def bound(self, commissioner: str) -> Person:
        """A commissioner who has bound his chat by an invitation."""
        person = self.somebody()
        await person.says(f"/bind {self.invitation(commissioner)}")
        await person.is_told("desk.bound", name=self.core.desk.roster.name(commissioner))
        return person

    async def offer(
        self, farmer: Person, commissioner: Person, question: str
    ) -> tuple[Message, int]:
        """The farmer asks what the base does not know: the offer, and the case's number."""
        before = {case.number for case in self.store.cases.of_farmer(farmer.address)}
        await farmer.says(question)
        return await self.offered(farmer, commissioner, before)

    async def offered(
        self, farmer: Person, commissioner: Person, before: set[int]
    ) -> tuple[Message, int]:
        """The offer of the farmer's case that was not there `before`."""

        def look() -> list[int]:
            cases = self.store.cases.of_farmer(farmer.address)
            return [case.number for case in cases if case.number not in before]

        (number,) = await until(look, lambda: farmer.texts)
        return await commissioner.is_offered(f"case:{number}:accept"), number

    async def called(self, method: str, times: int) -> None:
        """Return when Telegram was called so often."""
        await until(lambda: len(self.telegram.calls(method)) >= times)

    async def outgoing(self, state: str) -> None:
        """Return when a message going out is in this state."""
        await until(lambda: self.store.outbox.tally().get(state), self.store.outbox.tally)

    def invitation(self, commissioner: str) -> str:
        return self.store.accounts.invite(commissioner, self.clock(), valid=timedelta(days=1))

    def web(self, user: str, text: str = "", **more: Any) -> None:
        """A farmer's browser posts; nobody is woken yet."""
        self._receive("web", user, text=text, **more)

    def desk(self, commissioner: str, number: int, verb: str, text: str = "", **more: Any) -> None:
        """A click on the desk page; nobody is woken yet."""
        press = f"case:{number}:{verb}"
        self._receive("desk", commissioner, text=text, press=press, case=number, **more)

    def _receive(self, channel: str, user: str, **fields: Any) -> None:
        arrival = Arrival(channel, f"{user}:{uuid4()}", user, write_own(**fields))
        self.store.inbox.receive(arrival, self.clock())

    def press(self, user: str, action: str) -> None:
        """A button on a farmer's page; nobody is woken yet."""
        self._receive("web", user, press=action)

    @staticmethod
    def at(user: str) -> Address:
        return Address("web", user)

    def page(self, user: str, channel: str = "web") -> list[str]:
        """What a farmer's page, or a desk, was told so far."""
        shown = self.store.inbox.history(Address(channel, user))
        return [one.outgoing.text for one in shown if one.outgoing]

    def case(self, number: int) -> Case:
        found = self.store.cases.get(number)
        assert found, f"there is no case {number}"
        return found

    async def case_becomes(self, number: int, *states: CaseState) -> Case:
        def look() -> bool:
            found = self.store.cases.get(number)
            return found is not None and found.state in states

        await until(look, lambda: self.store.cases.get(number))
        return self.case(number)

    async def said_all(self) -> None:
        """Return when nothing is waiting to be received, taken or sent."""
        await until(
            lambda: not (self.telegram.updates or is_busy(self.store)),
            lambda: (self.store.inbox.tally(), self.store.outbox.tally()),
        )


def is_busy(store: Store) -> bool:
    came, went = store.inbox.tally(), store.outbox.tally()
    return any((came.get("new"), *map(went.get, ("pending", "sending", "doubtful"))))


@asynccontextmanager
async def open_village(
    core: Core, url: str, telegram: FakeTelegram, **changes: Any
) -> AsyncIterator[Village]:
    clock, arrived = Clock(), Bell()
    store = Store.open(url, commissioners=core.config.commissioners)
    chosen = settings(telegram.url, **{"timeout": 5.0, **changes})
    channel = TelegramChannel(chosen, store, arrived, clock)
    village = Village(core, store, telegram, channel, arrived, clock)
    try:
        async with working(village):
            yield village
    finally:
        store.close()


@asynccontextmanager
async def working(village: Village) -> AsyncIterator[Service]:
    """The service as `tianwen serve` runs it, without the web server."""
    core, store, pages = village.core, village.store, WebSettings()
    desk = DeskChannel(
        store,
        village.arrived,
        village.clock,
        pages,
        people=core.config.commissioners,
        targets=core.config.targets,
        library=DeskLibrary(core.library.entry, core.naming.domain, partial(in_words, core)),
    )
    web = WebChannel(store, village.arrived, village.clock, pages)
    channels: list[Channel] = [village.channel, web, desk]
    service = Service(core, store, channels, arrived=village.arrived, clock=village.clock)
    task = asyncio.create_task(service.run())
    try:
        yield service
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
