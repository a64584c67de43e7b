"""Server-sent events: who listens, and how an event is written."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

HEARTBEAT = ": .\n\n"  # a comment: keeps proxies from closing a quiet stream
CROWD = 2000  # open streams in all: each looks into the store every few seconds
# A ring comes just before delivery has written "sent" into the store: look again shortly.
AFTER_RING = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `id` is what the browser resumes after."""

    id: str
    data: object
    name: str = "message"

    def __str__(self) -> str:
        data = json.dumps(self.data, ensure_ascii=False)
        return f"id: {self.id}\nevent: {self.name}\ndata: {data}\n\n"


class Ear:
    """One open stream, waiting to be rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.is_closed = False

    def ring(self) -> None:
        self._rung.set()

    def close(self) -> None:
        self.is_closed = True
        self._rung.set()

    async def is_rung(self, seconds: float) -> bool:
        """Whether a ring came within `seconds`; it is used up."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Listeners:
    """The open streams by user."""

    def __init__(self, *, most: int, poll: timedelta) -> None:
        self._ears: defaultdict[str, list[Ear]] = defaultdict(list)
        self._most = most
        self._poll = poll.total_seconds()

    def ring(self, user: str) -> None:
        for ear in self._ears.get(user, ()):
            ear.ring()

    def close(self) -> None:
        """End every stream, so that the server can stop; browsers come back by themselves."""
        for ears in self._ears.values():
            for ear in ears:
                ear.close()

    @contextmanager
    def listening(self, user: str) -> Iterator[Ear]:
        ears = self._ears[user]
        ear = Ear()
        ears.append(ear)
        try:
            yield ear
        finally:
            ears.remove(ear)
            if not ears and self._ears.get(user) is ears:
                del self._ears[user]

    def stream(
        self, user: str, look: Callable[[], Awaitable[Sequence[Event]]]
    ) -> StreamingResponse:
        """A response that sends what `look` finds, now and whenever the user is rung."""
        if len(self._ears.get(user, ())) >= self._most:
            raise HTTPException(429, "您打开的页面太多了，请关掉几个。")
        if sum(map(len, self._ears.values())) >= CROWD:
            raise HTTPException(
                503, "来的人太多了，请过一会儿再来。", headers={"Retry-After": "60"}
            )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        body = self._events(user, look)
        return StreamingResponse(body, headers=headers, media_type="text/event-stream")

    async def _events(
        self, user: str, look: Callable[[], Awaitable[Sequence[Event]]]
    ) -> AsyncIterator[str]:
        with self.listening(user) as ear:
            yield "retry: 2000\n\n"
            waits: Sequence[float] = ()
            while not ear.is_closed:
                if found := await look():
                    yield "".join(map(str, found))
                    continue  # there may be more than one look brings
                seconds, *waits = waits or (self._poll,)
                if await ear.is_rung(seconds):
                    waits = AFTER_RING
                elif not waits:
                    yield HEARTBEAT
