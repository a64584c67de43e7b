"""What is refused before anything is read: big bodies, foreign origins, too many requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.web.settings import Rate, WebSettings

Clock = Callable[[], datetime]

TOO_BIG = "内容太大了：照片请一张不超过 10 MB、一次不超过 9 张。"
FOREIGN = "这个请求不是从本页面发出的，没有处理。请回到页面再试一次。"
TOO_FAST = "您发得太快了，请歇一会儿再试。"

_LIMIT = "tianwen.body_limit"
_CROWD = 10_000  # keys remembered by one Buckets before it forgets the idle ones


class BodyCap:
    """Counts a request's body as it is read. Around the app it sets the default, around a
    route that route's own limit, as the innermost one holds."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_counted = _LIMIT in scope
        scope[_LIMIT] = self._limit
        if scope["type"] == "http" and not is_counted:
            receive = _counting(scope, receive)
        await self._app(scope, receive, send)


def _counting(scope: Scope, receive: Receive) -> Receive:
    declared = Headers(scope=scope).get("content-length", "0")
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        if not declared.isdecimal() or int(declared) > scope[_LIMIT]:
            raise HTTPException(413, TOO_BIG)
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > scope[_LIMIT]:
            raise HTTPException(413, TOO_BIG)
        return message

    return counted


def check_origin(request: Request) -> None:
    """Refuse what another site made the browser send (OWASP: Fetch Metadata, then Origin)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("origin")
        is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise HTTPException(403, FOREIGN)


def client_of(request: Request, settings: WebSettings) -> str:
    """The caller's address; a forwarded one only on the word of a trusted proxy."""
    peer = request.client.host if request.client else ""
    hops = request.headers.get("x-forwarded-for", "").split(",")
    for hop in reversed(hops):
        if peer not in settings.trusted_proxies or not hop.strip():
            break
        peer = hop.strip()
    return _network(peer)


def is_https(request: Request, settings: WebSettings) -> bool:
    if settings.is_secure or request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return peer in settings.trusted_proxies and forwarded == "https"


def _network(host: str) -> str:
    """One household has one IPv4 address, but a whole /64 of IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return host


class Buckets:
    """Token buckets in memory, one a key."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: dict[str, tuple[float, datetime]] = {}

    def take(self, key: str) -> None:
        """Use one token of `key`; HTTPException 429 when there is none."""
        now = self._clock()
        level = self._level(key, now)
        if level < 1:
            wait = round((1 - level) * 60 / self._rate.per_minute) + 1
            raise HTTPException(429, TOO_FAST, headers={"Retry-After": str(wait)})
        if len(self._levels) >= _CROWD:
            self._forget_idle(now)
        self._levels[key] = (level - 1, now)

    def _level(self, key: str, now: datetime) -> float:
        level, since = self._levels.get(key, (float(self._rate.burst), now))
        refill = (now - since).total_seconds() * self._rate.per_minute / 60
        return min(level + refill, self._rate.burst)

    def _forget_idle(self, now: datetime) -> None:
        busy = {key for key in self._levels if self._level(key, now) < self._rate.burst}
        self._levels = {key: self._levels[key] for key in busy}
