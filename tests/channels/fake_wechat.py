"""Our own WeChat on loopback: phones that write to an account, calls that are cut off after five
seconds and made three times, and the API with its bookkeeping."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
from defusedxml import ElementTree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.envelope import Envelope, reply_xml, signed

from .fake_telegram import _with_cut, serving

APP = "wx0123456789abcdef"
ACCOUNT = "gh_0123456789ab"
TOKEN, KEY, SECRET = "tianwen-token", "k" * 42 + "A", "app-secret"
BROKEN = "该公众号提供的服务出现故障，请稍后再试"
WINDOW, MESSAGES = timedelta(hours=48), 5


@dataclass
class Phone:
    """What one follower sees: everything the account said, in order."""

    openid: str
    seen: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    wrote_at: datetime | None = None
    pushed: int = 0


@dataclass(frozen=True)
class Wire:
    """One thing that went over the wire."""

    what: str
    user: str
    uid: str
    attempt: int
    status: int | str
    said: str


class FakeWeChat:
    """`pace` is how long one of the platform's seconds takes here. `journal` keeps what went over
    the wire, `trouble` what an API path answers next."""

    api = ""

    def __init__(
        self, clock: Callable[[], datetime], *, pace: float = 0.1, pushes: bool = True
    ) -> None:
        self._clock = clock
        self.pace = pace
        self.pushes = pushes
        self.envelope = Envelope(TOKEN, (KEY,), APP)
        self.phones: dict[str, Phone] = {}
        self.journal: list[Wire] = []
        self.trouble: defaultdict[str, deque[Any]] = defaultdict(deque)
        self.stored: dict[str, tuple[str, bytes]] = {}
        self.tokens: list[str] = []
        self._ids = itertools.count(24_000_000_000_000_001)

    def phone(self, openid: str) -> Phone:
        return self.phones.setdefault(openid, Phone(openid))

    # --- the platform calls us -----------------------------------------------------------------

    async def says(self, url: str, openid: str, text: str) -> str:
        """What a follower sees in answer to his words; "" where nothing comes back at once."""
        return await self.call(url, openid, MsgType="text", Content=text)

    async def call(self, url: str, openid: str, *, uid: str = "", **fields: str) -> str:
        """Make the call up to three times, five seconds each."""
        phone = self.phone(openid)
        if fields["MsgType"] != "event":
            phone.wrote_at, phone.pushed = self._clock(), 0
            fields["MsgId"] = uid = uid or str(next(self._ids))
        created = int(self._clock().timestamp())
        names = {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": created}
        xml = reply_xml(**{**names, **fields})
        for attempt in range(1, 4):
            status, said = await self._once(url, xml)
            self.journal.append(Wire("call", openid, uid, attempt, status, said))
            if status == 200:
                if said:
                    phone.seen.append(said)
                return said
        phone.seen.append(BROKEN)
        return BROKEN

    async def _once(self, url: str, xml: str) -> tuple[int | str, str]:
        try:
            async with httpx.AsyncClient() as browser:
                query, body = self.signed(xml)
                async with asyncio.timeout(5 * self.pace):
                    answer = await browser.post(f"{url}/wechat", params=query, content=body)
        except TimeoutError:
            return "cut", ""
        except httpx.HTTPError as error:
            await asyncio.sleep(self.pace)
            return type(error).__name__, ""
        return answer.status_code, self.shown(answer) if answer.status_code == 200 else ""

    def signed(self, xml: str) -> tuple[dict[str, str], bytes]:
        """The query and body of a push in safe mode."""
        key = self._key()
        sealed = self.envelope.seal(xml, key=key, now=self._clock(), nonce="nonce")
        encrypt = ElementTree.fromstring(sealed).findtext("Encrypt")
        stamp = str(int(self._clock().timestamp()))
        signature = signed(TOKEN, stamp, "nonce", encrypt)
        query = {"timestamp": stamp, "nonce": "nonce", "msg_signature": signature}
        return {**query, "encrypt_type": "aes"}, f"<xml><Encrypt>{encrypt}</Encrypt></xml>".encode()

    def _key(self) -> bytes:
        return base64.b64decode(KEY + "=")

    def shown(self, answer: httpx.Response) -> str:
        """What the follower reads of an answer, which must be sealed and fit."""
        if answer.text in {"success", ""}:
            return ""
        outer = ElementTree.fromstring(answer.content)
        parts = [outer.findtext(name) for name in ("TimeStamp", "Nonce", "Encrypt")]
        assert outer.findtext("MsgSignature") == signed(TOKEN, *parts)
        query = {"msg_signature": outer.findtext("MsgSignature")}
        query |= {"timestamp": parts[0], "nonce": parts[1]}
        inner = ElementTree.fromstring(
            self.envelope.open(query, answer.content, self._clock()).text
        )
        assert inner.findtext("FromUserName") == ACCOUNT
        said = inner.findtext("Content")
        assert 0 < len(said.encode()) <= 2048
        return said

    # --- we call the platform ------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeWeChat]:
        routes = [
            Route("/cgi-bin/stable_token", self._stable_token, methods=["POST"]),
            Route("/cgi-bin/message/custom/send", self._send, methods=["POST"]),
            Route("/cgi-bin/message/custom/typing", self._typing, methods=["POST"]),
            Route("/cgi-bin/media/upload", self._upload, methods=["POST"]),
            Route("/cgi-bin/media/get", self._media),
            Route("/picture/{name}", self._picture),
        ]
        async with serving(_with_cut(Starlette(routes=routes))) as self.api:
            yield self

    def fail(self, path: str, code: int, words: str = "") -> None:
        self.trouble[path].append((code, words))

    def drop(self, path: str, when: Literal["before", "after"]) -> None:
        self.trouble[path].append(when)

    def keep(self, name: str, mime: str, content: bytes) -> str:
        self.stored[name] = (mime, content)
        return name

    def picture_url(self, name: str) -> str:
        return f"{self.api}/picture/{name}"

    async def _stable_token(self, request: Request) -> Response:
        asked = await request.json()
        if asked.get("appid") != APP or asked.get("secret") != SECRET:
            return _error(40125, "invalid appsecret")
        assert asked["grant_type"] == "client_credential"
        assert asked["force_refresh"] is False
        if self.trouble["token"]:
            return _error(*self.trouble["token"].popleft())
        self.tokens.append(f"token-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 7200})

    async def _checked(self, path: str, request: Request) -> Response | None:
        if request.query_params.get("access_token") not in self.tokens[-1:]:
            return _error(40001, "invalid credential")
        if not self.pushes:
            return _error(48001, "api unauthorized")
        if not self.trouble[path]:
            return None
        trouble = self.trouble[path].popleft()
        if trouble == "before":
            request.scope["cut"]()
            return Response()
        if trouble == "after":
            self.trouble[path].appendleft("cut")
            return None
        return _error(*trouble)

    async def _send(self, request: Request) -> Response:
        if refused := await self._checked("send", request):
            return refused
        told = await request.json()
        phone = self.phone(told["touser"])
        if phone.wrote_at is None or self._clock() - phone.wrote_at > WINDOW:
            return _error(45015, "response out of time limit")
        if phone.pushed >= MESSAGES:
            return _error(45047, "out of response count limit")
        phone.pushed += 1
        kind = told["msgtype"]
        if kind == "text":
            said = told["text"]["content"]
            assert 0 < len(said.encode()) <= 2048
            phone.seen.append(said)
        else:
            said = told[kind]["media_id"]
            assert said in self.stored
            phone.media.append(said)
        self.journal.append(Wire(f"push {kind}", phone.openid, "", 1, 200, said))
        return self._done("send", request, {})

    async def _typing(self, request: Request) -> Response:
        if refused := await self._checked("typing", request):
            return refused
        told = await request.json()
        self.journal.append(Wire("typing", told["touser"], "", 1, 200, told["command"]))
        return self._done("typing", request, {})

    async def _upload(self, request: Request) -> Response:
        if refused := await self._checked("upload", request):
            return refused
        async with request.form() as form:
            media = form["media"]
            content = await media.read()
        assert request.query_params["type"] in {"image", "voice"}
        name = f"media-{len(self.stored)}"
        self.stored[name] = (media.content_type, content)
        return self._done("upload", request, {"media_id": name})

    async def _media(self, request: Request) -> Response:
        if refused := await self._checked("get", request):
            return refused
        found = self.stored.get(request.query_params["media_id"])
        if found is None:
            return _error(40007, "invalid media_id")
        return Response(found[1], media_type=found[0])

    async def _picture(self, request: Request) -> Response:
        found = self.stored.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("gone", 404)
        return Response(found[1], media_type=found[0])

    def _done(self, path: str, request: Request, told: dict[str, Any]) -> Response:
        if self.trouble[path] and self.trouble[path][0] == "cut":
            self.trouble[path].popleft()
            request.scope["cut"]()
        return JSONResponse({"errcode": 0, "errmsg": "ok", **told})


def _error(code: int, words: str) -> Response:
    return Response(json.dumps({"errcode": code, "errmsg": words}))
