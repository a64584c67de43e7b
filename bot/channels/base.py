"""The Channel protocol, where pictures come from, the bell that wakes sleepers, and the fake."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from starlette.requests import Request
from starlette.routing import BaseRoute

from bot.domain import (
    Address,
    Arrival,
    Attachment,
    Flaw,
    Incoming,
    Other,
    Outgoing,
    Picture,
    Receipt,
)
from bot.errors import Unreadable

# How a channel comes by the pictures in an answer: by `Block.picture`, out of the knowledge of the
# moment. None: it is gone or can't be shown, and the caption stands in its place, as `plain` does.
Pictures = Callable[[str], Picture | None]
NO_PICTURES: Pictures = dict[str, Picture]().get


class Bell:
    """Wakes one of those who wait for `key`; a ring nobody waits for is remembered until the next
    wait. Whoever finds more to do than his own share rings for the others."""

    def __init__(self) -> None:
        self._sleepers: dict[str, deque[asyncio.Future[None]]] = {}
        self._rung: set[str] = set()

    def ring(self, key: str = "") -> None:
        sleepers = self._sleepers.get(key, ())
        if awake := next((one for one in sleepers if not one.done()), None):
            awake.set_result(None)
        else:
            self._rung.add(key)

    async def wait(self, key: str = "", *, seconds: float) -> None:
        """Return at a ring or after `seconds`, whichever comes first."""
        if key in self._rung:
            self._rung.discard(key)
            return
        sleeper = asyncio.get_running_loop().create_future()
        sleepers = self._sleepers.setdefault(key, deque())
        sleepers.append(sleeper)
        try:
            await asyncio.wait((sleeper,), timeout=seconds)
        finally:
            sleepers.remove(sleeper)


async def body_of(request: Request, *, most: int) -> bytes | None:
    """What a platform posts; None where it is more than that many bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body


class Channel(Protocol):
    """One platform. Adapters are thin: nothing is decided here.

    `listen` stores each arrival before the platform is told that it was received. `read` turns
    arrivals of one group into one message (None: nothing for the conversation) and raises
    `Unreadable` or `TryLater`. `send` raises one of `ChannelError`'s kinds; after `close` nothing
    can be sent.
    """

    @property
    def name(self) -> str: ...

    def routes(self) -> Sequence[BaseRoute]: ...

    async def listen(self) -> None: ...

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None: ...

    async def send(self, outgoing: Outgoing) -> Receipt: ...

    async def close(self) -> None: ...


def write_own(
    *,
    text: str = "",
    press: str | None = None,
    case: int | None = None,
    reply_to: str | None = None,
    other: Other | None = None,
    attachments: Sequence[Attachment] = (),
) -> str:
    """The raw form of channels that have no platform behind them: web, desk, console, fake."""
    media = [[one.kind, one.media, one.mime, one.name, one.flaws] for one in attachments]
    fields = {"text": text, "press": press, "case": case, "reply_to": reply_to, "other": other}
    return json.dumps({**fields, "attachments": media}, ensure_ascii=False)


def is_own(arrival: Arrival) -> bool:
    """Whether `write_own` made it."""
    return arrival.raw.startswith('{"text"')


def read_own(arrivals: Sequence[Arrival]) -> Incoming:
    """The message behind arrivals that `write_own` made; several are one album."""
    return merge([_read_one(arrival) for arrival in arrivals])


def _read_one(arrival: Arrival) -> Incoming:
    try:
        raw = json.loads(arrival.raw)
        return Incoming(
            id=arrival.id,
            sender=Address(arrival.channel, arrival.user),
            text=raw["text"],
            press=raw["press"],
            case=raw["case"],
            reply_to=raw["reply_to"],
            other=Other(raw["other"]) if raw["other"] else None,
            attachments=tuple(_attachment(*one) for one in raw["attachments"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"arrival {arrival.id} of {arrival.channel}") from error


def _attachment(
    kind: Literal["photo", "voice", "file"],
    media: str,
    mime: str,
    name: str,
    flaws: Sequence[str] = (),  # arrivals of before photos were looked at have none
) -> Attachment:
    return Attachment(kind, media, mime, name, tuple(map(Flaw, flaws)))


def merge(messages: Sequence[Incoming]) -> Incoming:
    """One message out of an album's parts: first id, all captions, all attachments in order."""
    return replace(
        messages[0],
        text="\n".join(message.text for message in messages if message.text),
        attachments=tuple(one for message in messages for one in message.attachments),
    )


class FakeChannel:
    """A channel without a platform: `sent` holds what went out, `failures` what to raise next."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.sent: list[Outgoing] = []
        self.failures: list[Exception] = []

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def listen(self) -> None:
        await asyncio.Event().wait()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        return read_own(arrivals)

    async def send(self, outgoing: Outgoing) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(outgoing)
        return Receipt((f"{self.name}-{len(self.sent)}",))

    async def close(self) -> None: ...

    def texts_to(self, address: Address) -> list[str]:
        return [outgoing.text for outgoing in self.sent if outgoing.to == address]
