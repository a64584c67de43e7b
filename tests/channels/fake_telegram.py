"""Our own Telegram on a loopback port: people who write, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import uvicorn
from starlette.applications import Starlette

from .bot_api import BOT, NOT_BY_DEFAULT, TOKEN, ApiError, BotApi, Call, Fault, person, private

__all__ = ["TOKEN", "FakeTelegram", "person", "private", "serving"]


class FakeTelegram(BotApi):
    """Keeps updates until they are confirmed; `journal` is every call, `sent` every message."""

    url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeTelegram]:
        async with serving(_with_cut(Starlette(routes=self.routes()))) as self.url:
            try:
                yield self
            finally:
                async with self._changed:
                    self._pollers += 1  # whoever still waits is sent away
                    self._changed.notify_all()

    def fail(self, method: str, status: int, description: str, **parameters: Any) -> None:
        self._faults[method].append(Fault(ApiError(status, description, **parameters)))

    def drop(self, method: str, when: Literal["before", "after"]) -> None:
        """Cut the connection, before or after the call was carried out."""
        self._faults[method].append(Fault(drop=when))

    def slow(self, method: str, seconds: float) -> None:
        """Carry the call out at once and answer late."""
        self._faults[method].append(Fault(delay=seconds))

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.journal if call.method == method]

    async def arrive(self, kind: str, body: Mapping[str, Any]) -> int:
        """Queue an update as Telegram would; the kinds that were not asked for are dropped."""
        self._last_update += 1
        update = {"update_id": self._last_update, kind: dict(body)}
        allowed = self._allowed
        if kind in allowed if allowed is not None else kind not in NOT_BY_DEFAULT:
            async with self._changed:
                self.updates.append(update)
                self._changed.notify_all()
        return self._last_update

    async def taken(self) -> None:
        """Return when every update was confirmed."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.updates)

    async def says(self, user: int, text: str | None = None, **fields: Any) -> int:
        """A private message of `user`; `fields` are Telegram's own. Returns the update id."""
        words = {"text": text} if text is not None else {}
        return await self.arrive("message", self.message(user, **words, **fields))

    async def shows(self, user: int, *photos: bytes, caption: str = "") -> None:
        """One photo, or an album whose first part has the caption."""
        group = {"media_group_id": f"album-{self._last_update}"} if len(photos) > 1 else {}
        for photo in photos:
            words = {"caption": caption} if caption and photo is photos[0] else {}
            await self.says(user, photo=self.photo_sizes(photo), **group, **words)

    async def presses(self, user: int, data: str, *, in_chat: int | None = None) -> str:
        """`user` presses a button; returns the query's id."""
        query = f"query-{len(self._queries)}"
        self._queries.add(query)
        message = {**self.message(in_chat or user), "from": BOT, "text": "…"}
        body = {"id": query, "from": person(user), "chat_instance": "1"}
        await self.arrive("callback_query", {**body, "data": data, "message": message})
        return query

    async def becomes(self, user: int, status: Literal["member", "kicked"]) -> None:
        def of(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": BOT, "status": status, **until}

        old = "kicked" if status == "member" else "member"
        body = {"chat": private(user), "from": person(user), "date": 1_790_000_000}
        change = {"old_chat_member": of(old), "new_chat_member": of(status)}
        await self.arrive("my_chat_member", {**body, **change})

    async def deliver(self, *, attempts: int = 3) -> list[int]:
        """Post queued updates to the webhook, each until a 2xx; returns the statuses."""
        hook = self.webhook
        assert hook, "no webhook is set"
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret}
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(attempts * len(self.updates)):
                if not self.updates:
                    break
                answer = await client.post(hook.url, json=self.updates[0], headers=headers)
                hook.statuses.append(answer.status_code)
                if answer.is_success:
                    self.updates.pop(0)
        return hook.statuses


def _with_cut(app: Any) -> Any:
    """Give handlers a way to cut the connection: uvicorn's transport hangs on `receive`."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["cut"] = receive.__self__.transport.abort
        await app(scope, receive, send)

    return wrapped


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Run an ASGI app on a free loopback port; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        options = {"log_level": "warning", "lifespan": "off", "ws": "none"}
        server = uvicorn.Server(uvicorn.Config(app, **options))
        running = asyncio.create_task(server._serve(sockets=[door]))  # no signal handlers
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
