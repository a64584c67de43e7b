"""Turns a member's message into one of the conversation, fetching photos and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp

from bot.channels.photos import clean_photo
from bot.channels.text import legible
from bot.channels.wecom.socket import Socket
from bot.domain import Address, Arrival, Attachment, Incoming, Media, Other
from bot.errors import Refused, TryLater, Unreadable
from bot.store import Store

DECODERS = 2  # photos decoded at a time: each may take 240 MB for a moment
LARGEST = 20 * 2**20  # bytes
NAME_LENGTH = 100


class Reader:
    """Understands what the robot's socket brought."""

    def __init__(self, socket: Socket, store: Store, clock: Callable[[], datetime]) -> None:
        self._socket = socket
        self._store = store
        self._clock = clock
        self._decoders = asyncio.Semaphore(DECODERS)

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        arrival = arrivals[0]
        try:
            body = json.loads(arrival.raw)["body"]
            blank = Incoming(arrival.id, Address(arrival.channel, arrival.user))
            return await self._understood(blank, body)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unreadable(f"arrival {arrival.id} of wecom") from error

    async def _understood(self, blank: Incoming, body: Mapping[str, Any]) -> Incoming | None:
        quote = body.get("quote", {})
        known = replace(blank, quoted=_text(quote).partition("\n")[0])
        match body["msgtype"]:
            case "event":
                return _event(blank, body["event"])
            case "text":
                return replace(known, text=_text(body))
            case "voice":
                return replace(known, text=legible(body["voice"]["content"]))
            case "image" | "file":
                return await self._with(known, [body])
            case "mixed":
                parts = body["mixed"]["msg_item"]
                words = "\n".join(filter(None, map(_text, parts)))
                return await self._with(replace(known, text=words), parts)
            case "video":
                return replace(known, other=Other.VIDEO)
        return replace(known, other=Other.UNKNOWN)

    async def _with(self, known: Incoming, parts: Sequence[Mapping[str, Any]]) -> Incoming:
        found = [await self._fetched(one) for one in parts if one["msgtype"] in {"image", "file"}]
        kept = tuple(one for one in found if one)
        other = None if kept or known.text else Other.UNKNOWN
        return replace(known, attachments=kept, other=other)

    async def _fetched(self, part: Mapping[str, Any]) -> Attachment | None:
        """None: our rules for photos refuse it for good, or it is too large."""
        kind = part["msgtype"]
        try:
            content, name = await self._socket.download(part[kind]["url"], part[kind]["aeskey"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TryLater(type(error).__name__) from error
        except RuntimeError:  # it can't be deciphered
            return None
        if len(content) > LARGEST:
            return None
        if kind == "image":
            return await self._photo(content)
        kept = await self._keep(Media("application/octet-stream", content))
        name = legible(name).replace("\\", "/").rpartition("/")[2].replace("\n", " ")
        return Attachment("file", kept, "application/octet-stream", name[-NAME_LENGTH:])

    async def _photo(self, content: bytes) -> Attachment | None:
        try:
            async with self._decoders:
                photo = await asyncio.to_thread(clean_photo, content, max_bytes=LARGEST)
        except Refused:
            return None
        return Attachment("photo", await self._keep(photo), photo.mime, flaws=photo.flaws)

    async def _keep(self, media: Media) -> str:
        return await asyncio.to_thread(self._store.media.keep, media, self._clock())


def _text(body: Mapping[str, Any]) -> str:
    return legible(body.get("text", {}).get("content", ""))


def _event(blank: Incoming, event: Mapping[str, Any]) -> Incoming | None:
    match event["eventtype"]:
        case "template_card_event":
            return replace(blank, press=str(event["template_card_event"]["event_key"]))
        case "enter_chat":
            return replace(blank, other=Other.JOINED)
    return None
