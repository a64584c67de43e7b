"""The farmer's chat page."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.base import NO_PICTURES, Bell, Pictures, is_own, read_own, write_own
from bot.channels.links import PATH, Links
from bot.channels.web.guard import BodyCap, Buckets, Clock, check_origin, client_of
from bot.channels.web.pages import Pages
from bot.channels.web.pictures import PictureRoom
from bot.channels.web.sessions import (
    NAME,
    STALE,
    Sessions,
    address_of,
    check_csrf,
    user_of,
)
from bot.channels.web.settings import WebSettings
from bot.channels.web.stream import Event, Listeners
from bot.channels.web.submissions import Album, Submission, read_submission
from bot.domain import Address, Arrival, Incoming, Outgoing, Receipt
from bot.errors import Refused
from bot.store import Session, Shown, Store

OLD_LINK = "这个链接过期了。请回公众号发“网页”，会给您一个新的。"
STAMP_GAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the page shows it. `id` is its place in the conversation, 0 before it has
    one; `chosen` is the action of its buttons that was pressed."""

    id: int
    message: int
    at: datetime
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None
    chosen: str | None = None
    is_stamped: bool = True

    @property
    def side(self) -> str:
        return "mine" if self.incoming else "bot"

    @property
    def is_relay(self) -> bool:
        return self.outgoing is not None and self.outgoing.purpose == "relay"

    @property
    def press(self) -> str | None:
        return self.incoming.press if self.incoming else None

    @property
    def is_visible(self) -> bool:
        """A press shows on the button that was pressed."""
        return not self.press or bool(self.incoming and self.incoming.text)


def line_of(shown: Shown) -> Line:
    return Line(shown.id, shown.message, shown.at, shown.incoming, shown.outgoing)


def arrange(lines: Sequence[Line]) -> list[Line]:
    """The lines to show: presses folded into their buttons, times only after a pause."""
    arranged: list[Line] = []
    for line in lines:
        if line.press:
            _choose(arranged, line.press)
        if line.is_visible:
            is_late = not arranged or line.at - arranged[-1].at > STAMP_GAP
            arranged.append(replace(line, is_stamped=is_late))
    return arranged


def _choose(lines: list[Line], action: str) -> None:
    for place in reversed(range(len(lines))):
        outgoing = lines[place].outgoing
        if outgoing and any(button.action == action for button in outgoing.buttons):
            lines[place] = replace(lines[place], chosen=action)
            return


class WebChannel:
    """Farmers in a browser, known by nothing but a cookie."""

    name = NAME

    def __init__(
        self,
        store: Store,
        arrived: Bell,
        clock: Clock,
        settings: WebSettings,
        *,
        pictures: Pictures = NO_PICTURES,
        links: Links | None = None,
    ) -> None:
        self._links = links
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._settings = settings
        self._pages = Pages(pictures)
        self._pictures = PictureRoom(pictures)
        self._album = Album(store, clock)
        self._sessions = Sessions("farmer", store, clock, settings)
        self._listeners = Listeners(most=settings.streams, poll=settings.poll)
        self._by_session = Buckets(settings.session_rate, clock)
        self._by_address = Buckets(settings.address_rate, clock)
        self._visits = Buckets(settings.visit_rate, clock)

    def routes(self) -> Sequence[BaseRoute]:
        upload = [Middleware(BodyCap, self._settings.upload_limit)]
        return (
            Route("/", self._page),
            Route("/send", self._send, methods=["POST"], middleware=upload),
            Route("/events", self._events),
            Route(f"{PATH}{{token}}", self._come_over),
            *self._pictures.routes(),
        )

    async def listen(self) -> None:
        """Arrivals come through the routes; when the app stops, so do the open streams."""
        try:
            await asyncio.Event().wait()
        finally:
            self._listeners.close()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return read_own(arrivals)

    async def close(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> Receipt:
        """The message is in the store: whoever has the page open is told to look."""
        self._listeners.ring(outgoing.to.user)
        return Receipt()

    # the page

    async def _page(self, request: Request) -> Response:
        session = await self._sessions.of(request)
        if session:
            response = self._render(await self._lines(session), session.csrf)
            self._sessions.extend(request, response)
            return response
        self._visits.take(client_of(request, self._settings))
        token, csrf = await self._sessions.open(secrets.token_urlsafe(16))
        response = self._render([], csrf)
        self._sessions.hand_out(token, request, response)
        return response

    async def _come_over(self, request: Request) -> Response:
        """A link out of a chat: this browser goes on with that conversation."""
        self._visits.take(client_of(request, self._settings))
        address = self._links.read(request.path_params["token"]) if self._links else None
        if address is None:
            raise HTTPException(410, OLD_LINK)
        response = RedirectResponse("/", status_code=303)
        here = await self._sessions.of(request)
        if here is None or address_of(here) != address:
            token, _ = await self._sessions.open(user_of(address))
            self._sessions.hand_out(token, request, response)
        return response

    def _render(self, lines: Sequence[Line], csrf: str) -> Response:
        settings = self._settings
        return self._pages.page(
            "chat.html",
            title=settings.title,
            tagline=settings.tagline,
            examples=settings.examples,
            lines=arrange(lines),
            is_waiting=bool(lines) and lines[-1].side == "mine",
            after=max((line.id for line in lines), default=0),
            now=self._clock(),
            csrf=csrf,
            uid=uuid4(),
            slow_after=round(settings.slow_after.total_seconds()),
            text_limit=settings.text_limit,
            photos=settings.photos,
            photo_bytes=settings.photo_bytes,
        )

    async def _lines(self, session: Session) -> list[Line]:
        """The conversation, and behind it what no worker has taken yet."""
        inbox, address = self._store.inbox, address_of(session)
        await self._take_over(address)
        shown = await asyncio.to_thread(inbox.history, address)
        waiting = await asyncio.to_thread(inbox.waiting, address)
        taken = {one.message for one in shown}
        fresh = [read_own([one]) for one in waiting if one.id not in taken and is_own(one)]
        now = self._clock()
        return [*map(line_of, shown), *(Line(0, one.id, now, one) for one in fresh)]

    # what the farmer sends

    async def _send(self, request: Request) -> Response:
        check_origin(request)
        session = await self._admit(request)
        submission = await read_submission(request, self._settings)
        check_csrf(session.csrf, submission.csrf)
        if submission.is_empty:
            raise Refused("还没有写内容：请写几个字，或者选一张照片。")
        message = await self._receive(address_of(session), submission)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"message": message})
        return RedirectResponse("/", status_code=303)

    async def _admit(self, request: Request) -> Session:
        self._by_address.take(client_of(request, self._settings))
        session = await self._sessions.of(request)
        if session is None:
            raise HTTPException(403, STALE)
        self._by_session.take(session.user)
        return session

    async def _receive(self, me: Address, submission: Submission) -> int | None:
        """The message id; None where this very message came before."""
        attachments = await self._album.keep(submission.photos)
        raw = write_own(text=submission.text, press=submission.press, attachments=attachments)
        arrival = Arrival(me.channel, f"{me.user}:{submission.uid}", me.user, raw)
        message = await asyncio.to_thread(self._store.inbox.receive, arrival, self._clock())
        self._arrived.ring()
        return message

    # what the farmer hears

    async def _events(self, request: Request) -> Response:
        session = await self._sessions.of(request)
        if session is None:
            raise HTTPException(403, STALE)
        cursor = _cursor(request)
        address = address_of(session)

        async def look() -> Sequence[Event]:
            nonlocal cursor
            await self._take_over(address)
            shown = await asyncio.to_thread(self._store.inbox.history, address, after=cursor)
            cursor = shown[-1].id if shown else cursor
            return [self._event(line_of(one)) for one in shown]

        return self._listeners.stream(session.user, look)

    async def _take_over(self, address: Address) -> None:
        """What his chat could not be sent has reached him with this page."""
        if address.channel != NAME:
            hand = self._store.windows.hand_to_page
            await asyncio.to_thread(hand, address, self._clock())

    def _event(self, line: Line) -> Event:
        html = ""
        if line.is_visible:
            html = self._pages.render("line.html", line=line, now=self._clock())
        fields = {"message": line.message, "side": line.side, "press": line.press, "html": html}
        return Event(str(line.id), fields)


def _cursor(request: Request) -> int:
    """Where the browser left off: its own memory of the last event goes before the page's."""
    last = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(last) if last.isdecimal() and len(last) < 16 else 0
