"""The desk page: where commissioners and dispatchers take and answer cases in a browser."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.base import NO_PICTURES, Bell, Pictures, read_own, write_own
from bot.channels.web.board import SOURCES, Board, View
from bot.channels.web.guard import BodyCap, Buckets, Clock, check_origin, client_of, is_https
from bot.channels.web.ledger_board import (
    NOT_YOUR_LEDGER,
    TOLD_IN_WORDS,
    LedgerBoard,
    check_line,
    page_of,
)
from bot.channels.web.library import Library
from bot.channels.web.moves import NEEDS_WORDS, VERBS, confirmations
from bot.channels.web.pages import Pages, moment, number_in
from bot.channels.web.sessions import Sessions, check_csrf
from bot.channels.web.settings import WebSettings
from bot.channels.web.stream import Event, Listeners
from bot.channels.web.submissions import Album, Submission, read_csrf, read_submission
from bot.domain import Address, Arrival, Commissioner, Incoming, Outgoing, Receipt
from bot.errors import Refused
from bot.escalation.ledger import Targets
from bot.store import Session, Shown, Store

NAME = "desk"
ENTRY_COOKIE = "tianwen_entry"
NOT_YOURS = "没有这个问题，或者它不归您办。"
# A link on another site comes without the strict cookie; from our own page it comes with it.
OUTSIDE = "还没有进来。请打开工作人员给您的链接；已经进来过的，点一下继续。"
USED_UP = "这个链接已经用过或过期了，请向工作人员要一个新的。"


class DeskChannel:
    """People of the register, let in by a one-time link."""

    name = NAME

    def __init__(
        self,
        store: Store,
        arrived: Bell,
        clock: Clock,
        settings: WebSettings,
        *,
        people: Sequence[Commissioner],
        library: Library,
        targets: Targets,
        pictures: Pictures = NO_PICTURES,
    ) -> None:
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._settings = settings
        self._board = Board(store, clock, people, library)
        self._ledger_board = LedgerBoard(store, clock, people, targets, library)
        self._pages = Pages(pictures)
        self._album = Album(store, clock)
        self._sessions = Sessions("desk", store, clock, settings)
        self._listeners = Listeners(most=settings.streams, poll=settings.poll)
        self._by_session = Buckets(settings.session_rate, clock)
        self._entries = Buckets(settings.entry_rate, clock)

    def routes(self) -> Sequence[BaseRoute]:
        upload = [Middleware(BodyCap, self._settings.upload_limit)]
        case = "/desk/case/{number}"
        return (
            Route("/desk", self._desk),
            Route("/desk/enter/{code}", self._door),
            Route("/desk/enter/{code}", self._enter, methods=["POST"]),
            Route("/desk/logout", self._leave, methods=["POST"]),
            Route("/desk/knowledge", self._knowledge),
            Route("/desk/ledger", self._ledger),
            Route("/desk/ledger", self._enter_line, methods=["POST"], middleware=upload),
            Route("/desk/ledger/{person}", self._ledger),
            Route("/desk/events", self._events),
            Route(case, self._case),
            Route(case, self._act, methods=["POST"], middleware=upload),
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
        """The message is in the store: whoever has the desk open is told to look."""
        self._listeners.ring(outgoing.to.user)
        return Receipt()

    # in and out

    async def _door(self, request: Request) -> Response:
        """Only shows a button: link previews of chat apps must not use the code up."""
        token = secrets.token_urlsafe(16)
        page = self._pages.page("enter.html", title=self._settings.title, csrf=token)
        page.set_cookie(
            ENTRY_COOKIE,
            token,
            max_age=600,
            path="/desk/enter",
            httponly=True,
            secure=is_https(request, self._settings),
            samesite="strict",
        )
        return page

    async def _enter(self, request: Request) -> Response:
        check_origin(request)
        self._entries.take(client_of(request, self._settings))
        check_csrf(request.cookies.get(ENTRY_COOKIE, ""), await read_csrf(request))
        redeem, code = self._store.accounts.redeem, request.path_params["code"]
        commissioner = await asyncio.to_thread(redeem, code, self._clock())
        if commissioner is None:
            raise HTTPException(410, USED_UP)
        token, _ = await self._sessions.open(commissioner)
        response = RedirectResponse("/desk", status_code=303)
        self._sessions.hand_out(token, request, response)
        return response

    async def _leave(self, request: Request) -> Response:
        check_origin(request)
        session, _ = await self._who(request)
        check_csrf(session.csrf, await read_csrf(request))
        await self._sessions.close(request)
        response = self._pages.page(
            "notice.html",
            title=self._settings.title,
            heading="已退出",
            message="下次进来，请向工作人员要一个新的链接。",
            back="/",
            back_label="去问答页面",
        )
        self._sessions.take_back(request, response)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def _who(self, request: Request) -> tuple[Session, Commissioner]:
        session = await self._sessions.of(request)
        me = self._board.person(session.user) if session else None
        if session is None or me is None:
            raise HTTPException(401, OUTSIDE)
        return session, me

    # pages

    async def _view(
        self, request: Request, number: int | None = None
    ) -> tuple[Session, Commissioner, View]:
        session, me = await self._who(request)
        view = await asyncio.to_thread(self._board.view, me, number)
        if view is None:
            raise HTTPException(404, NOT_YOURS)
        return session, me, view

    def _page(
        self,
        template: str,
        request: Request,
        session: Session,
        me: Commissioner,
        view: View,
        **values: Any,
    ) -> Response:
        events = f"/desk/events?case={view.case.number}" if view.case else "/desk/events"
        page = self._pages.page(
            template,
            title=self._settings.title,
            me=me,
            csrf=session.csrf,
            seen=view.seen,
            events=events,
            knowledge=view.knowledge,
            now=self._clock(),
            **values,
        )
        self._sessions.extend(request, page)
        return page

    async def _desk(self, request: Request) -> Response:
        session, me, view = await self._view(request)
        lists = {"shelves": self._board.shelves(me, view.cases), "notices": view.notices()}
        return self._page("desk.html", request, session, me, view, **lists)

    async def _knowledge(self, request: Request) -> Response:
        session, me, view = await self._view(request)
        checked = ""
        if view.knowledge and view.knowledge.at:
            checked = moment(datetime.fromisoformat(view.knowledge.at), self._clock())
        return self._page("knowledge.html", request, session, me, view, checked=checked)

    async def _case(self, request: Request) -> Response:
        number = _case_number(request)
        session, me, view = await self._view(request, number)
        board, case = self._board, view.case
        if case is None:
            raise HTTPException(404, NOT_YOURS)
        reasons = await asyncio.to_thread(board.library.explain, case.question)
        flash = view.replies(number_in(request.query_params.get("after")))
        return self._page(
            "case.html",
            request,
            session,
            me,
            view,
            card=board.card(case),
            source=SOURCES.get(case.farmer.channel, case.farmer.channel),
            candidates=board.candidates(case),
            suggestions=board.suggestions(case),
            reasons=reasons,
            thread=board.thread(view.thread),
            moves=await asyncio.to_thread(board.moves, me, case),
            flash=flash,
            confirm=confirmations(flash, f"case:{case.number}:", "sure", "keep:"),
            is_pending="after" in request.query_params and not flash,
            text_limit=self._settings.text_limit,
        )

    async def _ledger(self, request: Request) -> Response:
        session, me, view = await self._view(request)
        year = number_in(request.query_params.get("year"))
        person = request.path_params.get("person")
        board = self._ledger_board
        if person is None and me.is_dispatcher:
            found = await asyncio.to_thread(board.overview, year)
            return self._page("ledgers.html", request, session, me, view, overview=found)
        sheet = await asyncio.to_thread(board.sheet, me, person or me.id, year)
        if sheet is None:
            raise HTTPException(404, NOT_YOUR_LEDGER)
        return self._page(
            "ledger.html",
            request,
            session,
            me,
            view,
            sheet=sheet,
            flash=(flash := view.replies(number_in(request.query_params.get("after")))),
            confirm=confirmations(flash, "visit:", "save"),
            text_limit=self._settings.text_limit,
        )

    # what a commissioner does

    async def _enter_line(self, request: Request) -> Response:
        """A suggestion, or a ruling on a line."""
        me, view, submission = await self._posted(request)
        press = submission.press or ""
        check_line(press, submission.text)
        head = TOLD_IN_WORDS.get(press)
        raw = write_own(
            text=f"{head} {submission.text}" if head else submission.text,
            press=None if head else press,
            attachments=await self._album.keep(submission.photos),
        )
        await self._receive(me, submission.uid, raw, view)
        page = page_of(request.query_params.get("of", ""), me)
        return RedirectResponse(f"{page}?after={view.last_said}", status_code=303)

    async def _act(self, request: Request) -> Response:
        number = _case_number(request)
        me, view, submission = await self._posted(request, number)
        verb = submission.press or ""
        if verb.partition(":")[0] not in VERBS:
            raise Refused("这个按钮认不出来，请刷新页面再试。")
        if verb in NEEDS_WORDS and not (submission.text or submission.photos):
            raise Refused(NEEDS_WORDS[verb])
        raw = write_own(
            text=submission.text,
            press=f"case:{number}:{verb}",
            case=number,
            attachments=await self._album.keep(submission.photos),
        )
        await self._receive(me, submission.uid, raw, view)
        return RedirectResponse(f"/desk/case/{number}?after={view.last_said}", status_code=303)

    async def _posted(
        self, request: Request, number: int | None = None
    ) -> tuple[Commissioner, View, Submission]:
        """A form from one of our own pages, and what its sender saw there."""
        check_origin(request)
        session, me, view = await self._view(request, number)
        self._by_session.take(me.id)
        submission = await read_submission(request, self._settings)
        check_csrf(session.csrf, submission.csrf)
        return me, view, submission

    async def _receive(self, me: Commissioner, uid: str, raw: str, seen: View) -> None:
        """Keep it as he wrote it, and wait a little for what the conversation says to it."""
        arrival = Arrival(NAME, f"{me.id}:{uid}", me.id, raw)
        await asyncio.to_thread(self._store.inbox.receive, arrival, self._clock())
        self._arrived.ring()
        await self._await_reply(me, seen.last_said)

    async def _await_reply(self, me: Commissioner, after: int) -> None:
        """Wait a little for the conversation's word, so that the next page shows the effect."""
        address, history = Address(NAME, me.id), self._store.inbox.history
        with self._listeners.listening(me.id) as ear, suppress(TimeoutError):
            async with asyncio.timeout(self._settings.patience.total_seconds()):
                said: Sequence[Shown] = ()
                while not any(one.outgoing and one.id > after for one in said):
                    await ear.is_rung(0.1)
                    said = await asyncio.to_thread(history, address, after=after)

    # what changes

    async def _events(self, request: Request) -> Response:
        _, me = await self._who(request)
        number = number_in(request.query_params.get("case"))
        seen = request.headers.get("last-event-id") or request.query_params.get("seen", "")

        async def look() -> Sequence[Event]:
            nonlocal seen
            view = await asyncio.to_thread(self._board.view, me, number)
            if view is None or view.seen == seen:
                return ()
            seen = view.seen
            return (Event(seen, {"fresh": True}),)

        return self._listeners.stream(me.id, look)


def _case_number(request: Request) -> int:
    number = number_in(request.path_params["number"])
    if number is None:
        raise HTTPException(404, NOT_YOURS)
    return number
