"""Everybody of the district, and the time that passes: who does what is planned by the minute, and
the clock goes from one thing planned to the next."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.config import load
from bot.knowledge.load import read
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.walk.homes import furnish
from tests.walk.village import actions, text_of
from tests.walk.year.around import START, Act, Around
from tests.walk.year.commissioners import ByChat, Commissioner
from tests.walk.year.desk import AtDesk, Seat
from tests.walk.year.doors import Chat, ChatPage, Heard, Pages
from tests.walk.year.farmers import Farmer
from tests.walk.year.office import Clerk, Dispatcher
from tests.walk.year.server import Server
from tests.walk.year.words import SUBJECTS, TOWNS, Speech, names

SLOT = timedelta(minutes=15)
COMMISSIONERS = 51
KEPT = 4  # every so many-th entry of the knowledge: the process starts often
CHAT_OF_COMMISSIONERS, CHAT_OF_FARMERS = 1_000, 10_000


def roster(chance: random.Random, at_desk: int) -> list[dict[str, Any]]:
    """As config/commissioners.yaml has them; the last `at_desk` have no chat."""
    people: list[dict[str, Any]] = []
    for number, name in enumerate(names(COMMISSIONERS)):
        away = date(2026, chance.randint(1, 12), 5)
        person = {
            "id": f"expert-{number:02}",
            "name": name,
            "kind": "技术服务型",
            "specialities": [SUBJECTS[number % 3]],
            "townships": sorted(chance.sample(TOWNS, chance.choice((0, 2, 2)))),
            "capacity": 8,
            "leave": [{"first": away, "last": away + timedelta(days=20)}],
        }
        if number < COMMISSIONERS - at_desk:
            person["addresses"] = {"telegram": str(CHAT_OF_COMMISSIONERS + number)}
        people.append(person)
    dispatchers = [
        {"id": "dispatcher", "name": "分诊台", "addresses": {"telegram": "900"}},
        {"id": "clerk", "name": "值班室"},
    ]
    return [*people, *({**one, "kind": "分诊员"} for one in dispatchers)]


@dataclass(kw_only=True)
class District(Around):
    """One run: everybody in it, and one server."""

    server: Server
    telegram: FakeTelegram
    store: Store  # the office's own connection: to invite, and to look whether a case is forgotten
    http: httpx.AsyncClient
    experts: list[Commissioner] = field(default_factory=list)
    farmers: list[Farmer] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._read = 0
        self._by_chat: dict[int, Farmer | ByChat] = {}
        self._breaks: list[tuple[datetime, Act]] = []

    # who is there

    def settle(self, people: list[dict[str, Any]], farmers: int) -> None:
        for number, one in enumerate(people):
            if one["kind"] != "分诊员":
                self.experts.append(self._expert(number, one))
        self.register = [*self.experts]
        nobody = (date.max, date.max)
        known = {"leave": nobody, "around": self, "subject": ""}
        chat = Chat(self.telegram, 900)
        self._by_chat[900] = Dispatcher(id="dispatcher", name="分诊台", chat=chat, **known)
        self.clerk = Clerk(id="clerk", name="值班室", seat=self._seat("clerk", 254), **known)
        self.farmers += [self._farmer(number) for number in range(farmers)]

    def _expert(self, number: int, one: dict[str, Any]) -> Commissioner:
        leave = (one["leave"][0]["first"], one["leave"][0]["last"])
        subject = one["specialities"][0]
        known = {"id": one["id"], "name": one["name"], "leave": leave, "subject": subject}
        if "addresses" not in one:
            return AtDesk(**known, around=self, seat=self._seat(one["id"], number))
        chat = Chat(self.telegram, CHAT_OF_COMMISSIONERS + number)
        self._by_chat[chat.user] = expert = ByChat(**known, around=self, chat=chat)
        return expert

    def _seat(self, who: str, number: int) -> Seat:
        def invite() -> str:
            return self.store.accounts.invite(who, self.now, valid=timedelta(days=1))

        return Seat(pages=self._pages(f"10.2.0.{number}"), invite=invite)

    def _farmer(self, number: int) -> Farmer:
        """Two of five in a browser."""
        if number % 5 < 2:
            pages = self._pages(f"10.1.{number // 250}.{number % 250}")
            return Farmer(f"farmer-{number}", self, ChatPage(pages))
        chat = Chat(self.telegram, CHAT_OF_FARMERS + number)
        self._by_chat[chat.user] = farmer = Farmer(f"farmer-{number}", self, chat)
        return farmer

    def _pages(self, address: str) -> Pages:
        return Pages(self.http, lambda: self.server.url, address)

    # time

    def breaks_at(self, at: datetime, act: Act) -> None:
        """Something befalls the server then, in the middle of whatever people do."""
        self._breaks.append((at, act))
        self._breaks.sort(key=lambda one: one[0])

    async def play(self, until: datetime, look: Callable[[], None]) -> None:
        """Everything planned until then, and whatever follows from it; `look` once a day."""
        day = self.now.date()
        while self.plans and self.plans[0][0] < until:
            await self._go_to(_rounded(self.plans[0][0]))
            if self.now.date() != day:
                look()
                day = self.now.date()
            acts = []
            while self.plans and self.plans[0][0] <= self.now:
                acts.append(heapq.heappop(self.plans)[2])
            await self._all_at_once(acts)
        await self._go_to(until)

    async def _go_to(self, then: datetime) -> None:
        await self.server.until(then)
        self._reads()
        self.now = then
        await self.server.set(then)

    async def _all_at_once(self, acts: list[Act]) -> None:
        async with asyncio.TaskGroup() as group:
            for act in acts:
                group.create_task(act())
            if self._breaks and self._breaks[0][0] <= self.now:
                await self._breaks.pop(0)[1]()
        await self.telegram.taken()

    def _reads(self) -> None:
        """Phones show what came; those who were told nothing all this time are noted."""
        fresh, self._read = self.telegram.sent[self._read :], len(self.telegram.sent)
        for message in fresh:
            heard = Heard(self.now, text_of(message), tuple(actions(message)), message)
            self._by_chat[message["chat"]["id"]].hears(heard)

    def told_nothing(self) -> list[str]:
        """Farmers who can be reached, said something, and were told nothing."""
        return [
            one.name
            for one in self.farmers
            if one.waits and isinstance(one.chat, Chat) and not one.is_blocked
        ]

    async def stop(self) -> None:
        await self.server.stop()
        await self.server.start(self.now)
        self.did["重启"] += 1

    async def kill(self) -> None:
        await self.server.kill()
        await self.server.start(self.now)
        self.did["断电"] += 1


def _rounded(at: datetime) -> datetime:
    """Up to the next whole slot."""
    return at + (START - at) % SLOT


@asynccontextmanager
async def open_district(
    folder: Path, *, farmers: int, at_desk: int, seed: int
) -> AsyncIterator[District]:
    chance = random.Random(seed)
    people = roster(chance, at_desk)
    async with FakeTelegram().running() as telegram:
        home = furnish(
            folder / "home",
            every=KEPT,
            answers={"pause": 4},
            web={"trusted_proxies": ["127.0.0.1"]},
            telegram={
                "base_url": f"{telegram.url}/bot",
                "base_file_url": f"{telegram.url}/file/bot",
            },
        )
        path = home / "config" / "commissioners.yaml"
        path.write_text(yaml.safe_dump({"commissioners": people}, allow_unicode=True))
        database = f"sqlite:///{folder}/year.db"
        server = Server(home, database, folder / "log")
        await server.start(START)
        district = _furnished(server, telegram, home, chance)
        try:
            district.settle(people, farmers)
            yield district
        finally:
            await district.http.aclose()
            await server.kill()
            district.store.close()


def _furnished(
    server: Server, telegram: FakeTelegram, home: Path, chance: random.Random
) -> District:
    config = load(home, {})
    entries = [one.entry for one in read(config.knowledge).entries]
    known = [text for one in entries if not one.is_first_aid for text in one.questions]
    store = Store.open(server.database, commissioners=config.commissioners)
    http = httpx.AsyncClient(trust_env=False, timeout=60)
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # each keeps his own
    speech = Speech(chance, known)
    parts = {"server": server, "telegram": telegram, "store": store, "http": http}
    return District(**parts, speech=speech, chance=chance)
