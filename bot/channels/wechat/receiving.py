"""The account's calls: each message is stored, then answered within the call or by a push.

An account that may push is told `success` at once. One that may not gets its answer in the call
that brought the message: the platform makes it three times, five seconds each, and the last one
tells the user how to fetch what is not ready yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.base import Bell, body_of
from bot.channels.envelope import Envelope, Opened, fields, reply_xml
from bot.channels.wechat.calls import Calls
from bot.channels.wechat.client import WeChatApi
from bot.channels.wechat.failures import ApiError
from bot.channels.wechat.reading import FETCH_ONLY, PRESS
from bot.channels.wechat.settings import AFTER_EVENT, AFTER_MESSAGE, PATH, WeChatSettings
from bot.channels.wechat.wording import AGAIN, FETCH, PAGE, Wording, meant
from bot.domain import Address, Arrival
from bot.errors import Forged
from bot.phrases import Phrases
from bot.store import Call, Fitted, Store, Waiting, Window

logger = logging.getLogger(__name__)

NAME = "wechat"
BODY_LIMIT = 64 * 1024  # bytes; a text of 2,048 bytes with its envelope is far below
DONE = "success"  # WeChat's word for: received, there is nothing to show
LEAVING = "unsubscribe"
SILENT = frozenset({"VIEW", "LOCATION", "TEMPLATESENDJOBFINISH"})  # events that ask nothing
OPENING = frozenset({"subscribe", "SCAN", "CLICK"})
LOOK_AGAIN = 0.05  # seconds: a message of his is just being sent


@dataclass(frozen=True, slots=True)
class Push:
    """What the platform brought, and the key to answer with; none in plain mode."""

    fields: Mapping[str, str]
    key: bytes | None

    @property
    def user(self) -> str:
        return self.fields["FromUserName"]

    @property
    def event(self) -> str:
        return self.fields.get("Event", "") if self.fields["MsgType"] == "event" else ""

    @property
    def uid(self) -> str:
        """Events have no MsgId."""
        own = self.fields.get("MsgId") or self.fields.get("MsgID")
        if not own:
            told = [self.fields.get(name, "") for name in ("CreateTime", "Event", "EventKey")]
            own = hashlib.sha256("\n".join([self.user, *told]).encode()).hexdigest()[:32]
        return f"{self.fields['ToUserName']}:{own}"


class Receiver:
    """Answers the calls of one account."""

    def __init__(
        self,
        settings: WeChatSettings,
        api: WeChatApi,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
        *,
        calls: Calls,
        wording: Wording,
        say: Phrases,
    ) -> None:
        self._settings = settings
        self._envelope = Envelope(settings.token, settings.keys, settings.app_id)
        self._api = api
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._calls = calls
        self._wording = wording
        self._say = say
        self._typing: set[asyncio.Task[None]] = set()

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route(PATH, self._checked, methods=["GET"]),
            Route(PATH, self._called, methods=["POST"]),
        )

    async def close(self) -> None:
        for task in self._typing:
            task.cancel()
        await asyncio.gather(*self._typing, return_exceptions=True)

    async def _checked(self, request: Request) -> Response:
        """The platform asks once whether this address is ours."""
        try:
            return PlainTextResponse(self._envelope.echo(request.query_params, self._clock()))
        except Forged:
            return Response(status_code=403)

    async def _called(self, request: Request) -> Response:
        try:
            body = await body_of(request, most=BODY_LIMIT)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        try:
            push = self._opened(request.query_params, body)
        except Forged:
            return Response(status_code=403)
        try:
            text = await self._answered(push, request)
        except Exception as error:  # noqa: BLE001 - the platform calls again
            logger.error("wechat: a call failed: %s", type(error).__name__)  # noqa: TRY400
            return Response(status_code=503)
        return self._response(push, text)

    def _opened(self, query: Mapping[str, str], body: bytes) -> Push:
        """Plain mode is taken only where the settings say so; Forged for all that is not whole."""
        now = self._clock()
        if self._settings.is_plain and "msg_signature" not in query:
            opened = Opened(self._envelope.plain(query, body, now), b"")
        else:
            opened = self._envelope.open(query, body, now)
        found = fields(opened.text)
        if not all(found.get(name) for name in ("FromUserName", "ToUserName", "MsgType")):
            raise Forged("fields")
        return Push(found, opened.key or None)

    def _response(self, push: Push, text: str | None) -> Response:
        """None: nothing at all, so that the platform calls again."""
        if text is None:
            return Response(status_code=503)
        if not text:
            return PlainTextResponse(DONE)
        now = self._clock()
        names = {"ToUserName": push.user, "FromUserName": push.fields["ToUserName"]}
        stamp = int(now.timestamp())
        xml = reply_xml(**names, CreateTime=stamp, MsgType="text", Content=text)
        if push.key is not None:
            xml = self._envelope.seal(xml, key=push.key, now=now)
        return Response(xml, media_type="application/xml")

    async def _answered(self, push: Push, request: Request) -> str | None:
        if push.event in SILENT:
            return ""
        call = await asyncio.to_thread(self._keep, push)
        self._arrived.ring()
        if call.reply is not None:
            return call.reply
        if push.event == LEAVING:
            return ""
        if self._settings.pushes and not call.fetches:
            self._show_typing(push)
            return ""
        async with self._calls.open(push.user):
            return await self._held(call, request)

    def _keep(self, push: Push) -> Call:
        """Return when the message is on disk and the call is noted."""
        now, address = self._clock(), Address(NAME, push.user)
        window = self._store.windows.of(address)
        raw, fetches = dict(push.fields), False
        if push.fields["MsgType"] == "text":
            words = push.fields.get("Content", "")
            action = meant(words, window)
            fetches = action == FETCH or words.strip() in AGAIN | PAGE
            raw |= {FETCH_ONLY: "1"} if fetches else {PRESS: action} if action else {}
        arrival = Arrival(NAME, push.uid, push.user, json.dumps(raw))
        self._store.inbox.receive(arrival, now)
        call = self._note(push, now, fetches=fetches)
        if call.reply is None and (text := self._at_once(push, address)):
            return _with_reply(call, self._store.windows.answer(call, text, window))
        return call

    def _at_once(self, push: Push, address: Address) -> str:
        """What needs no conversation: the last answer once more, the way to the web page."""
        words = push.fields.get("Content", "").strip()
        if words in AGAIN:
            return self._store.windows.last_reply(address) or self._say("wechat.nothing")
        return self._wording.page(push.user) if words in PAGE else ""

    def _note(self, push: Push, now: datetime, *, fetches: bool) -> Call:
        pushes, lasting = AFTER_EVENT if push.event else AFTER_MESSAGE
        if push.event and push.event not in OPENING:
            pushes, lasting = 0, timedelta(0)
        return self._store.windows.call(
            NAME,
            push.uid,
            push.user,
            now,
            fetches=fetches,
            is_heard=not push.event,
            pushes=pushes,
            until=now + lasting,
        )

    async def _held(self, call: Call, request: Request) -> str | None:
        """The answer, as soon as there is one; None where this call is over without."""
        is_last = call.tries >= self._settings.calls
        hold = self._settings.last_hold if is_last else self._settings.hold
        end = asyncio.get_running_loop().time() + hold
        if await self._calls.taken(call.uid, seconds=hold):
            while not await request.is_disconnected():
                text = await self._handed_over(call)
                if text is not None:
                    return text
                if asyncio.get_running_loop().time() > end:
                    break
                await asyncio.sleep(LOOK_AGAIN)
        if is_last:
            window = await asyncio.to_thread(self._store.windows.of, Address(NAME, call.user))
            text, window = self._wording.wait(window)
            return await asyncio.to_thread(self._store.windows.answer, call, text, window)
        await self._hang_on(request, hold)
        return None

    async def _handed_over(self, call: Call) -> str | None:
        fit = partial(self._fit, call)
        hand_over, now = self._store.windows.hand_over, self._clock()
        rest_only = self._settings.pushes
        return await asyncio.to_thread(hand_over, call, fit, now, rest_only=rest_only)

    def _fit(self, call: Call, waiting: Sequence[Waiting], window: Window) -> Fitted:
        fitted = self._wording.fit(waiting, window)
        if call.fetches and not fitted.text:
            return Fitted(self._say("wechat.nothing"), 0, fitted.window)
        return fitted

    async def _hang_on(self, request: Request, held: float) -> None:
        """An answer of any kind would end the matter for the platform: let it cut the call."""
        loop = asyncio.get_running_loop()
        end = loop.time() + max(self._settings.hang - held, 0)
        while loop.time() < end and not await request.is_disconnected():  # noqa: ASYNC110 - no event
            await asyncio.sleep(LOOK_AGAIN)

    def _show_typing(self, push: Push) -> None:
        if not push.event:
            task = asyncio.create_task(self._type(push.user))
            self._typing.add(task)
            task.add_done_callback(self._typing.discard)

    async def _type(self, user: str) -> None:
        with suppress(ApiError, httpx.HTTPError):
            await self._api.show_typing(user)


def _with_reply(call: Call, reply: str) -> Call:
    return Call(call.channel, call.uid, call.user, call.tries, call.fetches, reply)
