"""The ASGI app: the routes of all channels, pictures, `/health` and `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.web import WebSettings
from bot.channels.web.guard import BodyCap, Buckets, Clock, client_of
from bot.channels.web.media import MediaRoom
from bot.channels.web.pages import Pages
from bot.errors import Refused
from bot.store import Store

BODY_LIMIT = 2**20  # bytes; routes that take photos set their own
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",  # blob: previews of photos not yet sent
    "media-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
SECURITY = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # no-referrer would turn our forms' Origin into null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HEADINGS = {
    401: "特派员工作台",
    403: "没有处理",
    404: "没有这个页面",
    410: "链接失效了",
    413: "太大了",
    429: "请慢一点",
    500: "出了点问题",
    503: "请稍等",
}
WORDS = {
    404: "网址可能打错了，或者这一页已经没有了。",
    405: "这个网址不能这样打开。",
    500: "刚才的操作可能没成功，请过一会儿再试一次。",
}


def build(
    routes: Sequence[BaseRoute], store: Store, settings: WebSettings, clock: Clock
) -> Starlette:
    """One app for all that comes over HTTP."""
    pages = Pages()
    notices = Notices(pages, settings)
    watch = Watch(store, settings, clock)
    return Starlette(
        routes=[
            *routes,
            *MediaRoom(store, clock, settings).routes(),
            *pages.routes(),
            *watch.routes(),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(BodyCap, BODY_LIMIT)],
        exception_handlers={
            HTTPException: notices.http,
            Refused: notices.refused,
            Exception: notices.broken,
        },
    )


class SecurityHeaders:
    """Sets the headers that a response has not set for itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


class Notices:
    """Says in Chinese why a request came to nothing: a page, or JSON for our scripts."""

    def __init__(self, pages: Pages, settings: WebSettings) -> None:
        self._pages = pages
        self._settings = settings

    def http(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        words = WORDS.get(error.status_code, error.detail)
        if error.status_code == 404 and not error.detail.isascii():
            words = error.detail  # ours, not the framework's "Not Found"
        return self._say(request, error.status_code, words, error.headers)

    def refused(self, request: Request, error: Exception) -> Response:
        return self._say(request, 400, str(error))

    def broken(self, request: Request, error: Exception) -> Response:
        """The server logs the error; its words are not shown."""
        del error
        return self._say(request, 500, WORDS[500], SECURITY)

    def _say(
        self, request: Request, status: int, words: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"error": words}, status, headers)
        back, label = _way_back(request, status)
        response = self._pages.page(
            "notice.html",
            status=status,
            title=self._settings.title,
            heading=HEADINGS.get(status, "没有收下"),
            message=words,
            back=back,
            back_label=label,
        )
        response.headers.update(headers or {})
        return response


def _way_back(request: Request, status: int) -> tuple[str, str]:
    """Where the notice's button leads, and what stands on it."""
    path = request.url.path
    if status == 401:
        return path, "继续"
    if path.startswith("/desk/case/") and status != 404:
        return path, "回到这个问题"
    return ("/desk", "回到工作台") if path.startswith("/desk") else ("/", "回到问答")


class Watch:
    """For whoever looks after the machine: is it well, and how much does it do."""

    def __init__(self, store: Store, settings: WebSettings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._looks = Buckets(settings.visit_rate, clock)

    def routes(self) -> Sequence[BaseRoute]:
        return (Route("/health", self._health), Route("/metrics", self._metrics))

    async def _health(self, request: Request) -> Response:
        self._looks.take(client_of(request, self._settings))
        knowledge = await asyncio.to_thread(self._store.notes.get, "knowledge")
        is_current = bool(knowledge and knowledge.get("ok"))
        return JSONResponse({"ok": True, "knowledge_is_current": is_current})

    async def _metrics(self, request: Request) -> Response:
        """Prometheus text format 0.0.4."""
        self._looks.take(client_of(request, self._settings))
        text = "\n".join(await asyncio.to_thread(self._count)) + "\n"
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    def _count(self) -> list[str]:
        lines = [
            "# HELP tianwen_messages Messages in the store by direction and state.",
            "# TYPE tianwen_messages gauge",
        ]
        for direction, part in (("in", self._store.inbox), ("out", self._store.outbox)):
            lines += [
                f'tianwen_messages{{direction="{direction}",state="{state}"}} {count}'
                for state, count in sorted(part.tally().items())
            ]
        in_hand = sum(self._store.cases.load().values())
        lines += [
            "# HELP tianwen_cases_held Cases that wait for a commissioner's answer.",
            "# TYPE tianwen_cases_held gauge",
            f"tianwen_cases_held {in_hand}",
        ]
        return lines
