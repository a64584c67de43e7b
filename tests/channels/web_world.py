"""The web pages over a real SQLite store, with a worker that says what a test tells it to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import httpx
import uvicorn
from PIL import Image

from bot import web
from bot.channels.base import NO_PICTURES, Bell
from bot.channels.web import DeskChannel, Library, WebChannel, WebSettings
from bot.domain import (
    Address,
    Author,
    Block,
    Button,
    Candidate,
    Case,
    CaseChange,
    CaseState,
    Commissioner,
    Entry,
    Event,
    Incoming,
    Kind,
    Outgoing,
    Reason,
    Review,
    Turn,
    paragraphs,
)
from bot.escalation.ledger import Targets
from bot.store import Store

NOW = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
WANG = Commissioner("wang", "王瑞生", Kind.TECHNICAL, ("蜜蜂",))
LV = Commissioner("lv", "吕玉奎", Kind.ENTREPRENEUR, ("花椒",))
ZHAO = Commissioner("zhao", "赵敏", Kind.DISPATCHER)
PEOPLE = (WANG, LV, ZHAO)
ENTRY = Entry(
    "bee-crawling",
    "beekeeping",
    "爬蜂病",
    (),
    "先把病群搬开，换干净的箱。",
    (Block("heading", "怎么办"), Block("item", "病群单独放")),
    (),
    Review(on=date(2026, 1, 1)),
    author=Author("wang", "王瑞生", 1),
)
LIBRARY = Library(
    {ENTRY.id: ENTRY}.get,
    lambda domain: "养蜂" if domain else "没分类",
    lambda text: [f"读作：{text}"] if text else [],
)

Reply = Callable[[Incoming], Turn]


def say(text: str, *labels: tuple[str, str], **more) -> Reply:
    """A conversation that always answers this, with these (label, action) buttons."""
    buttons = tuple(Button(*one) for one in labels)
    return lambda incoming: Turn(
        (Outgoing(incoming.sender, paragraphs(text), buttons, **more),),
        filed_under=more.get("case"),
    )


def case(number: int = 1, **more) -> Case:
    fields = {
        "farmer": Address("web", "li"),
        "question": "蜂子满地爬",
        "reason": Reason.UNSURE,
        "state": CaseState.OFFERED,
        "holder": "wang",
        "domain": "beekeeping",
        "candidates": (Candidate("wang", "专长对口；手上 0 件；今年答过 0 次", is_eligible=True),),
        "suggestions": (ENTRY.id,),
    }
    return Case(number, opened_at=NOW, changed_at=NOW, **{**fields, **more})


class World:
    """Everything behind the pages; `browser()` stands before them."""

    def __init__(self, folder, *, pictures=NO_PICTURES, **settings) -> None:
        self.now = NOW
        self.store = Store.open(f"sqlite:///{folder}/web.db", commissioners=PEOPLE)
        self.arrived = Bell()
        self.settings = WebSettings(**{"poll": timedelta(seconds=0.2), **settings})
        common = self.store, self.arrived, self.clock, self.settings
        self.chat = WebChannel(*common, pictures=pictures)
        self.desk = DeskChannel(
            *common, people=PEOPLE, library=LIBRARY, targets=Targets(), pictures=pictures
        )
        routes = [*self.chat.routes(), *self.desk.routes()]
        self.app = web.build(routes, self.store, self.settings, self.clock)

    def clock(self) -> datetime:
        return self.now

    def browser(self, url: str = "", *, address: str = "10.0.0.1", **headers) -> Browser:
        """At `url`, where the pages are served, or without any network."""
        return Browser(self.app, url, address, headers)

    async def farmer(self, url: str = "", **more) -> Browser:
        """A browser that has opened the chat page."""
        browser = self.browser(url, **more)
        await browser.open("/")
        return browser

    async def at_desk(self, who: str = "wang", url: str = "") -> Browser:
        """A browser that came in by a one-time link."""
        browser = self.browser(url)
        code = self.store.accounts.invite(who, self.now, valid=timedelta(days=1))
        await browser.open(f"/desk/enter/{code}")
        await browser.post(f"/desk/enter/{code}", {"csrf": browser.csrf})
        await browser.open("/desk")
        return browser

    def user(self) -> str:
        """The random user id of the last farmer who wrote."""
        return self.last_incoming.sender.user

    # the worker and delivery, by hand

    async def work(self, reply: Reply) -> Incoming | None:
        """Take the next message, answer it, deliver what is due."""
        arrivals = self.store.inbox.claim(self.now, lease=timedelta(minutes=1))
        if not arrivals:
            return None
        channel = self.desk if arrivals[0].channel == "desk" else self.chat
        incoming = await channel.read(arrivals)
        self.last_incoming = incoming
        self.store.inbox.save(reply(incoming), incoming, arrivals, self.now)
        await self.deliver()
        return incoming

    async def deliver(self) -> None:
        for channel in (self.chat, self.desk):
            while due := self.store.outbox.due(channel.name, self.now, lease=timedelta(minutes=1)):
                receipt = await channel.send(due.outgoing)
                self.store.outbox.sent(due.id, receipt, self.now)

    @asynccontextmanager
    async def working(self, reply: Reply):
        """A worker that runs in the background."""

        async def run() -> None:
            while True:
                await self.arrived.wait(seconds=0.05)
                while await self.work(reply):
                    pass

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()

    @asynccontextmanager
    async def served(self):
        """The pages on a real socket, for what only a real server shows; yields the address."""
        config = uvicorn.Config(self.app, port=0, ws="none", lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        listening = [asyncio.create_task(one.listen()) for one in (self.chat, self.desk)]
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for one in listening:
                one.cancel()
            server.should_exit = True
            await serving

    def open_case(self, opened: Case | None = None, *replies: Outgoing) -> Case:
        opened = opened or case()
        change = CaseChange(opened, Event.OPENED, "农户")
        self.store.inbox.save_follow_up(Turn(tuple(replies), changes=(change,)), self.now)
        return self.store.cases.get(opened.number)

    def change_case(self, number: int, event: Event = Event.ACCEPTED, **fields) -> None:
        changed = replace(self.store.cases.get(number), **fields)
        change = CaseChange(changed, event, "wang")
        self.store.inbox.save_follow_up(Turn(changes=(change,)), self.now)

    def close(self) -> None:
        self.store.close()


class Browser:
    """A cookie jar that reads the CSRF token of the page it has open."""

    def __init__(self, app, url: str, address: str, headers: dict[str, str]) -> None:
        inside = httpx.ASGITransport(app, client=(address, 1234), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(
            transport=None if url else inside,
            base_url=url or "http://tianwen.test",
            headers=headers,
            trust_env=False,
        )
        self.csrf = ""

    async def open(self, path: str, **more) -> httpx.Response:
        response = await self.http.get(path, **more)
        if found := re.search(r'name="csrf" value="([^"]+)"', response.text):
            self.csrf = found[1]
        return response

    async def post(self, path: str, fields: dict[str, str], **more) -> httpx.Response:
        return await self.http.post(path, data=fields, **more)

    async def ask(self, text: str = "", *, uid: str | None = None, photos=(), **fields):
        """Post the chat form as its script does."""
        form = {"csrf": self.csrf, "uid": uid or str(uuid4()), "text": text, **fields}
        files = [("photos", (f"{place}.jpg", one)) for place, one in enumerate(photos)]
        headers = {"accept": "application/json"}
        return await self.http.post("/send", data=form, files=files or None, headers=headers)

    async def act(self, number: int, verb: str, text: str = "", **more) -> httpx.Response:
        """Post a form of the case page."""
        form = {"csrf": self.csrf, "uid": str(uuid4()), "press": verb, "text": text}
        return await self.http.post(f"/desk/case/{number}", data=form, **more)


def photo(width: int = 40, height: int = 30, kind: str = "JPEG", **save) -> bytes:
    target = BytesIO()
    Image.new("RGB", (width, height), "darkgreen").save(target, kind, **save)
    return target.getvalue()


def lines(page: str) -> Iterator[str]:
    """The bubbles of a chat page, tags removed."""
    for article in re.findall(r'<article class="line \w+" data.*?</article>', page, re.DOTALL):
        yield re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", article)).strip()
