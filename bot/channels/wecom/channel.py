"""The WeCom channel: joins the socket, reading and sending."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from starlette.routing import BaseRoute

from bot.channels.base import Bell
from bot.channels.wecom.reading import Reader
from bot.channels.wecom.sending import Sender, pressed_card
from bot.channels.wecom.settings import WeComSettings
from bot.channels.wecom.socket import HOLD, Frame, Socket
from bot.domain import Address, Arrival, CaseState, Incoming, Outgoing, Receipt, paragraphs
from bot.phrases import Phrases
from bot.store import Store

NAME = "wecom"
WAITING = frozenset({CaseState.OFFERED, CaseState.ACCEPTED})


class WeComChannel:
    """Members who talk to the robot alone; `user` is the member's userid. Groups are left unread.

    What was sent to the robot while the connection was down is lost to us, so after it people
    are shown once more what waits for them.
    """

    name = NAME

    def __init__(
        self,
        settings: WeComSettings,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
        *,
        say: Phrases,
    ) -> None:
        self._settings = settings
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._say = say
        self._reminded_at: datetime | None = None
        self._updating: set[asyncio.Task[None]] = set()
        self._socket = Socket(
            settings,
            may_hold=lambda: store.hold(HOLD),
            keep=self._keep,
            returned=self._remind,
        )
        self._reader = Reader(self._socket, store, clock)
        self._sender = Sender(settings, self._socket, say)

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def listen(self) -> None:
        """Never returns; raises ConfigError when the robot is refused."""
        await self._socket.run()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return await self._reader.read(arrivals)

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self._sender.send(outgoing)

    async def close(self) -> None:
        for task in self._updating:
            task.cancel()
        await asyncio.gather(*self._updating, return_exceptions=True)
        await self._socket.close()

    async def _keep(self, frame: Frame) -> None:
        """On disk first; then the pressed card says so."""
        body = frame.get("body", {})
        user, uid = body.get("from", {}).get("userid"), body.get("msgid")
        if not (user and uid) or body.get("chattype") == "group":
            return
        arrival = Arrival(NAME, str(uid), str(user), json.dumps(frame))
        await asyncio.to_thread(self._store.inbox.receive, arrival, self._clock())
        self._arrived.ring()
        press = body.get("event", {}).get("template_card_event")
        if press:
            self._show_pressed(frame, str(press.get("task_id", "")))

    def _show_pressed(self, frame: Frame, task_id: str) -> None:
        card = pressed_card(self._say("wecom.pressed"), self._say("wecom.see_below"), task_id)
        task = asyncio.create_task(self._socket.update_card(frame, card))
        self._updating.add(task)
        task.add_done_callback(self._updating.discard)

    async def _remind(self) -> None:
        now = self._clock()
        gap = timedelta(seconds=self._settings.reminder)
        if self._reminded_at and now - self._reminded_at < gap:
            return
        self._reminded_at = now
        await asyncio.to_thread(self._post_open_cases, now)

    def _post_open_cases(self, now: datetime) -> None:
        told = []
        for person, addresses in self._store.accounts.bindings().items():
            open_cases = self._store.cases.for_commissioner(person, is_dispatcher=False)
            numbers = [one.number for one in open_cases if one.state in WAITING]
            if not numbers:
                continue
            listed = "、".join(f"#{number}" for number in sorted(numbers))
            words = paragraphs(self._say("wecom.still_open", cases=listed))
            told += [Outgoing(to, words, purpose="notice") for to in addresses if is_here(to)]
        self._store.outbox.post(told, now)


def is_here(address: Address) -> bool:
    return address.channel == NAME
