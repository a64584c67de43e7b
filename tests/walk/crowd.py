"""Farmers and commissioners who keep on whatever happens to the servers; they write down what
they sent, so that it can be reckoned up."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from bot.phrases import Phrases
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.telegram_world import photo
from tests.walk.village import Message, actions, text_of

OFFER = re.compile(r"case:(\d+):accept")
RELAY = re.compile(r"case:(\d+):solved")
IMPATIENCE = httpx.Timeout(10)
AGAIN = 0.05  # seconds between two tries


@dataclass(frozen=True, slots=True)
class Farmer:
    """What one farmer sent: questions that the base knows, and one that it does not."""

    name: str
    known: tuple[str, ...]
    strange: str


@dataclass
class Town:
    """Everybody, and what they wrote. `doors` are the servers to knock at."""

    telegram: FakeTelegram
    say: Phrases
    chance: random.Random
    doors: Sequence[Callable[[], str]]
    questions: Sequence[str]  # that are answered at once
    strange: list[str]  # that go to a person, one for each farmer
    farmers: dict[str, Farmer] = field(default_factory=dict)  # by Telegram chat
    browsers: dict[str, tuple[Farmer, Browser]] = field(default_factory=dict)
    replies: dict[int, str] = field(default_factory=dict)  # by case: what was answered
    solved: set[int] = field(default_factory=set)  # cases whose farmer pressed 解决了
    troubles: int = 0  # requests that had to be made again
    _count: int = 0
    _opened: list[Browser] = field(default_factory=list)

    def browser(self, address: str) -> Browser:
        """One that is closed when everybody leaves."""
        self._opened.append(Browser(self, address))
        return self._opened[-1]

    def newcomer(self) -> Farmer:
        self._count += 1
        known = tuple(self.chance.sample(list(self.questions), 2))
        return Farmer(f"{self._count}", known, self.strange.pop())

    def reply_to(self, case: int) -> str:
        """What a commissioner will answer: words that nobody else says."""
        self.replies[case] = f"第{case}单回话{self.chance.getrandbits(48):012x}"
        return self.replies[case]

    def uid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def leave(self) -> None:
        for browser in self._opened:
            await browser.http.aclose()

    async def pause(self, most: float) -> None:
        await asyncio.sleep(self.chance.uniform(0, most))

    # farmers

    async def farmers_come(self, count: int) -> None:
        """So many at some time in the next three seconds, half of them by Telegram; returns when
        all have asked."""
        visits = (self._by_web, self._by_telegram)
        async with asyncio.TaskGroup() as asking:
            for _ in range(count):
                farmer = self.newcomer()
                asking.create_task(visits[int(farmer.name) % 2](farmer))

    def _messages_of(self, farmer: Farmer) -> list[str]:
        words = [*farmer.known, farmer.strange]
        self.chance.shuffle(words)
        return words

    async def _by_telegram(self, farmer: Farmer) -> None:
        user = 10_000 + int(farmer.name)
        self.farmers[str(user)] = farmer
        await self.pause(3)
        for words in self._messages_of(farmer):
            if words == farmer.strange and self.chance.random() < 0.25:
                await self.telegram.shows(user, photo(), caption=words)
            else:
                await self.telegram.says(user, words)
            await self.pause(2)

    async def _by_web(self, farmer: Farmer) -> None:
        browser = self.browser(f"10.1.{int(farmer.name) // 250}.{int(farmer.name) % 250}")
        self.browsers[farmer.name] = (farmer, browser)
        await self.pause(3)
        await browser.open("/")
        for words in self._messages_of(farmer):
            form = {"csrf": browser.csrf, "uid": self.uid(), "text": words}
            await browser.post("/send", form, expected=200, accept="application/json")
            await self.pause(2)

    async def farmers_are_content(self) -> None:
        """Every second one on Telegram presses 解决了 under the first answer that he sees."""
        seen: set[int] = set()
        async for message in self._sent():
            for number in map(int, _found(RELAY, message)):
                if number not in seen and number % 2:
                    self.solved.add(number)
                    await self.telegram.presses(message["chat"]["id"], f"case:{number}:solved")
                seen.add(number)

    async def _sent(self, place: int = 0) -> AsyncIterator[Message]:
        """Whatever Telegram is told to show, as it comes; from this place on."""
        while True:
            for message in self.telegram.sent[place:]:
                place += 1
                yield message
            await asyncio.sleep(AGAIN)

    # commissioners

    async def answers_by_telegram(self, user: int) -> None:
        """One case after the other, in all the ways there are."""
        async for message in self._sent():
            if message["chat"]["id"] != user:
                continue
            for number in map(int, _found(OFFER, message)):
                if number not in self.replies:
                    await self.pause(0.5)
                    await self._answer(user, number, message)

    async def _answer(self, user: int, number: int, offer: Message) -> None:
        words = self.reply_to(number)
        match self.chance.choice(("reply", "number", "accept")):
            case "number":
                await self.telegram.says(user, f"#{number} {words}")
            case "accept":
                await self.telegram.presses(user, f"case:{number}:accept")
                await self.telegram.says(user, f"#{number} {words}")
            case _:
                chat, after = {"id": user, "type": "private"}, len(self.telegram.sent)
                await self.telegram.says(user, words, reply_to_message={**offer, "chat": chat})
                await self._follow_to_the_end(user, number, words, after)

    async def _follow_to_the_end(self, user: int, number: int, words: str, after: int) -> None:
        """An offer whose receipt a kill swallowed is no longer known: then he is asked which case
        he means, with a button for each of the latest."""
        draft, answered = f"draft:{number}", self.say("desk.answered", number=number)
        async for message in self._sent(after):
            if message["chat"]["id"] != user:
                continue
            if answered in text_of(message):
                return
            if draft in actions(message):
                await self.telegram.presses(user, draft)
            elif self.say("desk.which_case") in text_of(message):
                await self.telegram.says(user, f"#{number} {words}")

    async def answers_at_the_desk(self, invite: Callable[[], str]) -> None:
        browser = self.browser("10.2.0.1")
        await browser.enter(invite)
        while True:
            page = await browser.open("/desk")
            for number in sorted(set(map(int, re.findall(r"/desk/case/(\d+)", page)))):
                if number not in self.replies:
                    await browser.open(f"/desk/case/{number}")
                    await browser.answer(number, self.reply_to(number))
            await self.pause(0.5)


def _found(pattern: re.Pattern[str], message: Message) -> list[str]:
    return [found[1] for action in actions(message) if (found := pattern.fullmatch(action))]


class Browser:
    """Tries again until the server says that it has understood, as the page's script does."""

    def __init__(self, town: Town, address: str) -> None:
        self._town = town
        headers = {"X-Forwarded-For": address}
        self.http = httpx.AsyncClient(trust_env=False, headers=headers, timeout=IMPATIENCE)
        self.csrf = ""

    async def _insist(self, method: str, path: str, **more: Any) -> httpx.Response:
        while True:
            door = self._town.chance.choice(self._town.doors)()
            try:
                response = await self.http.request(method, f"{door}{path}", **more)
            except httpx.TransportError:
                self._town.troubles += 1
                await asyncio.sleep(AGAIN)
                continue
            if response.status_code != 429:
                return response
            await asyncio.sleep(10 * AGAIN)

    async def open(self, path: str) -> str:
        response = await self._insist("GET", path)
        assert response.status_code == 200, (path, response.status_code, response.text)
        if found := re.search(r'name="csrf" value="([^"]+)"', response.text):
            self.csrf = found[1]
        return response.text

    async def post(
        self, path: str, form: dict[str, str], *, expected: int, accept: str = "text/html"
    ) -> None:
        response = await self._insist("POST", path, data=form, headers={"accept": accept})
        assert response.status_code == expected, (path, response.status_code, response.text)

    async def enter(self, invite: Callable[[], str]) -> None:
        """By a one-time link; a new one where a kill came between the code and the cookie."""
        while "tianwen_desk" not in self.http.cookies:
            path = f"/desk/enter/{invite()}"
            await self.open(path)
            await self._insist("POST", path, data={"csrf": self.csrf})

    async def answer(self, number: int, words: str) -> None:
        uid = self._town.uid()
        form = {"csrf": self.csrf, "uid": uid, "press": "answer", "text": words}
        await self.post(f"/desk/case/{number}", form, expected=303)


@asynccontextmanager
async def busy(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on as long as the block; one that dies takes the block down."""
    async with asyncio.TaskGroup() as working:
        tasks = [working.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
