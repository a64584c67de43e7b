"""Turns what a user sent into a message of the conversation, fetching photos and voices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from bot.channels.base import is_own, read_own
from bot.channels.photos import clean_photo
from bot.channels.text import legible
from bot.channels.wechat.client import WeChatApi, bounded
from bot.channels.wechat.failures import ApiError, as_channel_error
from bot.channels.wechat.settings import WeChatSettings
from bot.domain import Address, Arrival, Attachment, Incoming, Media, Other
from bot.errors import ChannelError, Refused, TryLater, Unreadable
from bot.store import Store

DECODERS = 2  # photos decoded at a time: each may take 240 MB for a moment
PLACES = ("Location_X", "Location_Y")
NEW_FACES = frozenset({"subscribe", "SCAN"})
FETCH_ONLY = "fetch"  # beside the platform's fields: he only asks for what waits
PRESS = "press"  # beside them: the action of the number he sent


class Reader:
    """Understands pushes. Of an account that may not fetch media it takes the picture by its
    address, and a voice only as the text that the platform made of it."""

    def __init__(
        self,
        settings: WeChatSettings,
        api: WeChatApi,
        store: Store,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._api = api
        self._store = store
        self._clock = clock
        self._pictures = httpx.AsyncClient(timeout=settings.timeout)
        self._decoders = asyncio.Semaphore(DECODERS)

    async def close(self) -> None:
        await self._pictures.aclose()

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        arrival = arrivals[0]
        if is_own(arrival):
            return read_own(arrivals)  # written on the web page by the same person
        try:
            found = json.loads(arrival.raw)
        except ValueError as error:
            raise Unreadable(f"arrival {arrival.id} of wechat") from error
        if not isinstance(found, dict) or "MsgType" not in found:
            raise Unreadable(f"arrival {arrival.id} of wechat")
        blank = Incoming(arrival.id, Address(arrival.channel, arrival.user))
        return await self._understood(blank, found)

    async def _understood(self, blank: Incoming, found: Mapping[str, str]) -> Incoming | None:
        if found.get(FETCH_ONLY):
            return None
        if action := found.get(PRESS):
            return replace(blank, press=action)
        match found["MsgType"]:
            case "text":
                return replace(blank, text=legible(found.get("Content", "")))
            case "link":
                words = (found.get("Title", ""), found.get("Description", ""))
                return replace(blank, text=legible("\n".join(filter(None, words))))
            case "image":
                return self._with(blank, await self._photo(found), Other.UNKNOWN)
            case "voice":
                return await self._voice(blank, found)
            case "location":
                return replace(blank, location=_place(found), other=Other.LOCATION)
            case "video" | "shortvideo":
                return replace(blank, other=Other.VIDEO)
            case "event":
                return _event(blank, found)
        return replace(blank, other=Other.UNKNOWN)

    @staticmethod
    def _with(blank: Incoming, attachment: Attachment | None, other: Other) -> Incoming:
        kept = (attachment,) if attachment else ()
        return replace(blank, attachments=kept, other=None if kept else other)

    async def _photo(self, found: Mapping[str, str]) -> Attachment | None:
        """None: it is no photo that our rules take, or gone."""
        try:
            content = await self._picture(found)
            async with self._decoders:
                photo = await asyncio.to_thread(clean_photo, content)
        except (Refused, Unreadable):
            return None
        kept = await asyncio.to_thread(self._store.media.keep, photo, self._clock())
        return Attachment("photo", kept, photo.mime, flaws=photo.flaws)

    async def _picture(self, found: Mapping[str, str]) -> bytes:
        address = urlsplit(found.get("PicUrl", ""))
        host = f".{address.hostname or ''}"
        if address.scheme in {"http", "https"} and host.endswith(self._settings.picture_hosts):
            return await self._got(address.geturl())
        if self._settings.pushes:
            return (await self._media(found.get("MediaId", ""))).content
        raise Unreadable("a picture from elsewhere")

    async def _got(self, url: str) -> bytes:
        """Never from where a redirect leads: that may be a machine of ours."""
        try:
            answer = await self._pictures.get(url, follow_redirects=False)
        except httpx.HTTPError as error:
            raise TryLater(type(error).__name__) from error
        if answer.status_code != 200:
            raise Unreadable(f"HTTP {answer.status_code}")
        return _within(answer.content)

    async def _media(self, media_id: str) -> Media:
        try:
            found = await self._api.download(media_id)
        except httpx.HTTPError as error:
            raise TryLater(type(error).__name__) from error
        except ApiError as error:
            if isinstance(failure := as_channel_error(error), TryLater):
                raise failure from error
            raise Unreadable(str(error.code)) from error
        except ChannelError as error:
            raise Unreadable(str(error)) from error
        return found

    async def _voice(self, blank: Incoming, found: Mapping[str, str]) -> Incoming:
        heard = legible(found.get("Recognition", "")).strip()
        if not self._settings.pushes:
            return replace(blank, text=heard, other=None if heard else Other.VOICE)
        try:
            media = await self._media(found.get("MediaId", ""))
        except Unreadable:
            return replace(blank, text=heard, other=None if heard else Other.VOICE)
        sound = Media(_SOUNDS.get(found.get("Format", "").lower(), media.mime), media.content)
        kept = await asyncio.to_thread(self._store.media.keep, sound, self._clock())
        return replace(blank, text=heard, attachments=(Attachment("voice", kept, sound.mime),))


_SOUNDS = {"amr": "audio/amr", "mp3": "audio/mpeg", "speex": "audio/speex"}


def _within(content: bytes) -> bytes:
    try:
        return bounded(content)
    except ChannelError as error:
        raise Unreadable(str(error)) from error


def _event(blank: Incoming, found: Mapping[str, str]) -> Incoming | None:
    """An account's menu types its words for him."""
    if found.get("Event") == "CLICK":
        return replace(blank, text=legible(found.get("EventKey", "")))
    return replace(blank, other=Other.JOINED) if found.get("Event") in NEW_FACES else None


def _place(found: Mapping[str, str]) -> tuple[float, float] | None:
    try:
        north, east = (float(found[name]) for name in PLACES)
    except (KeyError, ValueError):
        return None
    return (north, east) if abs(north) <= 90 and abs(east) <= 180 else None
