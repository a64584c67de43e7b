"""The channel behind `tianwen chat`: a farmer at the keyboard."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Thread
from typing import TextIO

from starlette.routing import BaseRoute

from bot.channels.base import Bell, read_own, write_own
from bot.channels.text import legible
from bot.domain import Arrival, Incoming, Outgoing, Receipt
from bot.store import Store

KINDS = {"photo": "图片", "voice": "语音", "file": "文件"}


class ConsoleChannel:
    """Each line is a message; the number of a button last shown presses it."""

    name = "console"

    def __init__(
        self,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
        *,
        lines: TextIO,
        out: TextIO,
        user: str = "farmer",
    ) -> None:
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._lines = lines
        self._out = out
        self._user = user
        self._actions: tuple[str, ...] = ()
        self._sent = 0

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def listen(self) -> None:
        """Return at the end of the input."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue()

        def pump() -> None:
            with suppress(RuntimeError):  # the loop is gone, nobody reads on
                for line in self._lines:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                loop.call_soon_threadsafe(lines.put_nowait, None)

        # A daemon: leaving with Ctrl-C must not wait for one more line.
        Thread(target=pump, name="console", daemon=True).start()
        while (line := await lines.get()) is not None:
            if text := legible(line).strip():
                await self._take(text)

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return read_own(arrivals)

    async def close(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> Receipt:
        shown = [f"〔{KINDS[one.kind]} {one.media}〕" for one in outgoing.attachments]
        labels = [f"  [{n}] {one.label}" for n, one in enumerate(outgoing.buttons, start=1)]
        lines = [*shown, outgoing.text, *labels]
        print("\n".join(line for line in lines if line), end="\n\n", file=self._out, flush=True)
        if outgoing.buttons:
            self._actions = tuple(button.action for button in outgoing.buttons)
        self._sent += 1
        return Receipt((f"console-{self._sent}",))

    async def _take(self, text: str) -> None:
        press = self._pressed(text)
        raw = write_own(press=press) if press else write_own(text=text)
        arrival = Arrival(self.name, uuid.uuid4().hex, self._user, raw)
        await asyncio.to_thread(self._store.inbox.receive, arrival, self._clock())
        self._arrived.ring()

    def _pressed(self, text: str) -> str | None:
        numbered = {str(n): action for n, action in enumerate(self._actions, start=1)}
        return numbered.get(text)
