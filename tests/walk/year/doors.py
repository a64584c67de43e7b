"""How people reach the bot: a chat on Telegram, and pages in a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any
from uuid import uuid4

import httpx

from tests.channels.fake_telegram import FakeTelegram

LINE = re.compile(
    r'<article class="line (?P<side>bot|mine)" data-id="(?P<id>\d+)"'
    r' data-message="\d+" data-at="(?P<at>\d+)">(?P<body>.*?)</article>',
    re.DOTALL,
)
BUBBLE = re.compile(r'<span class="who">.*?</span>(.*?)</div>', re.DOTALL)
PRESS = re.compile(r'<button form="press" name="press" value="([^"]+)"(?! disabled)')
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
FORM = re.compile(r'<form method="post" action="([^"]+)".*?</form>', re.DOTALL)
UID = re.compile(r'name="uid" value="([^"]+)"')
CHOICE = re.compile(r'<(?:input type="hidden" name="press"|option) value="([^"]+)"')
AGAIN = 0.05  # seconds
TAG = re.compile(r"<[^>]+>")
_END = re.compile(r"</(?:p|li|h3|summary)>")


def words_of(html: str) -> str:
    """A line a paragraph, as they are read."""
    lines = (unescape(TAG.sub("", line)).strip() for line in _END.split(html))
    return "\n".join(filter(None, lines))


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as its reader saw it."""

    at: datetime
    text: str
    actions: tuple[str, ...]
    shown: dict[str, Any] = field(default_factory=dict)  # on Telegram: the message itself


@dataclass
class Chat:
    """A private chat on Telegram."""

    telegram: FakeTelegram
    user: int

    async def says(self, text: str, *, below: dict[str, Any] | None = None) -> None:
        chat = {"id": self.user, "type": "private"}
        more = {"reply_to_message": {**below, "chat": chat}} if below else {}
        await self.telegram.says(self.user, text, **more)

    async def presses(self, action: str) -> None:
        await self.telegram.presses(self.user, action)

    async def shows(self, photo: bytes, text: str) -> None:
        await self.telegram.shows(self.user, photo, caption=text)

    async def speaks(self, sound: bytes) -> None:
        """A voice note."""
        one = self.telegram.keep_file(sound)
        note = {"file_id": one, "file_unique_id": one, "duration": 3, "mime_type": "audio/ogg"}
        await self.telegram.says(self.user, voice=note)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: what its buttons may stand for, and the hidden field against repeats."""

    url: str
    uid: str
    presses: tuple[str, ...]


@dataclass
class Pages:
    """One browser: it keeps its cookies, and its address is its own."""

    http: httpx.AsyncClient
    url: Callable[[], str]
    address: str
    csrf: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str) -> str:
        """The page; "" where one must come in anew."""
        response = await self._asked("GET", path)
        if response.status_code == 401:
            return ""
        assert response.status_code == 200, (path, response.status_code, words_of(response.text))
        if found := CSRF.search(response.text):
            self.csrf = found[1]
        return response.text

    async def post(self, path: str, files: Any = None, **fields: str) -> httpx.Response:
        data = {"csrf": self.csrf, "uid": str(uuid4()), **fields}
        return await self._asked("POST", path, data=data, files=files)

    async def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"X-Forwarded-For": self.address, "Cookie": cookie}
        url = f"{self.url()}{path}"
        while True:  # the server may be away for a moment: the same form is posted again
            try:
                response = await self.http.request(method, url, headers=headers, **more)
                break
            except httpx.TransportError:
                await asyncio.sleep(AGAIN)
        self.cookies |= dict(response.cookies)
        return response

    async def enter(self, code: str) -> None:
        """By a one-time link of the office."""
        await self.open(f"/desk/enter/{code}")
        response = await self.post(f"/desk/enter/{code}")
        assert response.status_code == 303, words_of(response.text)


@dataclass
class ChatPage:
    """The farmers' page in one browser, read to its last line."""

    pages: Pages
    seen: int = 0

    async def says(self, text: str) -> None:
        await self._sent(text=text)

    async def presses(self, action: str) -> None:
        await self._sent(press=action)

    async def shows(self, photo: bytes, text: str) -> None:
        await self._sent(files={"photos": ("p.png", photo, "image/png")}, text=text)

    async def _sent(self, files: Any = None, **fields: str) -> None:
        if not self.pages.csrf:
            await self.pages.open("/")
        response = await self.pages.post("/send", files, **fields)
        assert response.status_code == 303, (fields, words_of(response.text))

    async def news(self) -> list[Heard]:
        """What the page shows that was not there before."""
        page = await self.pages.open("/")
        return list(self._fresh(page))

    def _fresh(self, page: str) -> Iterator[Heard]:
        for line in LINE.finditer(page):
            if int(line["id"]) <= self.seen:
                continue
            self.seen = int(line["id"])
            bubble = BUBBLE.search(line["body"])
            if line["side"] == "bot" and bubble:
                at = datetime.fromtimestamp(int(line["at"])).astimezone()
                actions = tuple(map(unescape, PRESS.findall(line["body"])))
                yield Heard(at, words_of(bubble[1]), actions)


def forms(page: str) -> list[Form]:
    return [
        Form(unescape(found[1]), uid[1], tuple(map(unescape, CHOICE.findall(found[0]))))
        for found in FORM.finditer(page)
        if (uid := UID.search(found[0]))
    ]
