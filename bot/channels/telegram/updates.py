"""Turns a stored update into a message of the conversation, fetching its photos and files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from telegram import Bot, CallbackQuery, Document, Message, PhotoSize, Update
from telegram.constants import ChatMemberStatus, ChatType, FileSizeLimit
from telegram.error import TelegramError

from bot.channels.base import merge
from bot.channels.photos import Photo, clean_photo
from bot.channels.telegram.failures import translated
from bot.channels.text import legible
from bot.domain import Address, Arrival, Attachment, Incoming, Media, Other
from bot.errors import OutcomeUnknown, Refused, Rejected, TryLater, Unreachable, Unreadable
from bot.store import Store

_VIDEOS = ("animation", "video", "video_note")
_PLACES = ("location", "venue")
_SERVICE = ("pinned_message", "message_auto_delete_timer_changed", "write_access_allowed")
_NAME_LENGTH = 100
DECODERS = 2  # photos decoded at a time: each may take 240 MB for a moment
LARGEST = FileSizeLimit.FILESIZE_DOWNLOAD.value  # bytes: more a bot can't fetch


@dataclass(frozen=True, slots=True)
class _File:
    """What a message carries, before it is fetched."""

    kind: Literal["photo", "voice", "file"]
    id: str
    size: int
    mime: str
    name: str = ""


class Reader:
    """Understands updates. Presses are confirmed to the phone in passing."""

    def __init__(self, bot: Bot, store: Store, clock: Callable[[], datetime]) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._confirming: set[asyncio.Task[None]] = set()
        self._decoders = asyncio.Semaphore(DECODERS)

    async def read(self, arrivals: Sequence[Arrival]) -> Incoming | None:
        """The arrivals are one update, or the parts of one album."""
        parts = [await self._read_one(arrival) for arrival in arrivals]
        messages = [part for part in parts if part is not None]
        if not messages:
            return None
        message = merge(messages)
        return replace(message, other=None) if message.attachments else message

    async def close(self) -> None:
        for task in self._confirming:
            task.cancel()
        await asyncio.gather(*self._confirming, return_exceptions=True)

    async def _read_one(self, arrival: Arrival) -> Incoming | None:
        update = self._parse(arrival)
        blank = Incoming(id=arrival.id, sender=Address(arrival.channel, arrival.user))
        if query := update.callback_query:
            self._confirm(query)
            return replace(blank, press=query.data) if _is_own_press(query) else None
        if change := update.my_chat_member:
            is_back = change.new_chat_member.status == ChatMemberStatus.MEMBER
            is_private = change.chat.type == ChatType.PRIVATE
            return replace(blank, other=Other.JOINED) if is_back and is_private else None
        message = update.message or update.edited_message
        if message is None or message.chat.type != ChatType.PRIVATE:
            return None
        if update.edited_message and message.location:
            return None  # a live location moves every few seconds
        return await self._read_message(blank, message)

    def _parse(self, arrival: Arrival) -> Update:
        try:
            return Update.de_json(json.loads(arrival.raw), self._bot)
        except Exception as error:
            # Whatever the library trips over, it will trip over again.
            raise Unreadable(f"arrival {arrival.id} of telegram") from error

    async def _read_message(self, blank: Incoming, message: Message) -> Incoming | None:
        text = legible(message.text or message.caption or "")
        answered = message.reply_to_message
        place = message.location
        known = replace(
            blank,
            text=text,
            reply_to=str(answered.message_id) if answered else None,
            quoted=_first_line(answered) if answered else "",
            location=(place.latitude, place.longitude) if place else None,
        )
        if file := _file_of(message):
            attachment = await self._fetch(file)
            kept = (attachment,) if attachment else ()
            return replace(known, attachments=kept, other=None if kept else Other.UNKNOWN)
        if any(getattr(message, field) for field in _SERVICE):
            return None
        return replace(known, other=None if message.text else _other(message))

    async def _fetch(self, file: _File) -> Attachment | None:
        """None: Telegram or our rules for photos refuse it for good."""
        if file.size > LARGEST:
            return None
        try:
            content = await self._download(file.id)
            is_photo = file.kind == "photo"
            media = await self._clean(content) if is_photo else Media(file.mime, content)
        except (Refused, Rejected):
            return None
        kept = await asyncio.to_thread(self._store.media.keep, media, self._clock())
        flaws = media.flaws if isinstance(media, Photo) else ()
        return Attachment(file.kind, kept, media.mime, file.name, flaws)

    async def _clean(self, content: bytes) -> Photo:
        async with self._decoders:
            return await asyncio.to_thread(clean_photo, content, max_bytes=LARGEST)

    async def _download(self, file_id: str) -> bytes:
        try:
            with translated():
                file = await self._bot.get_file(file_id)
                return bytes(await file.download_as_bytearray())
        except (OutcomeUnknown, Unreachable) as error:
            raise TryLater(str(error)) from error

    def _confirm(self, query: CallbackQuery) -> None:
        """The phone shows a spinner until this; too late or lost does no harm."""
        task = asyncio.create_task(self._answer(query.id))
        self._confirming.add(task)
        task.add_done_callback(self._confirming.discard)

    async def _answer(self, query_id: str) -> None:
        with suppress(TelegramError):
            await self._bot.answer_callback_query(query_id)


def _is_own_press(query: CallbackQuery) -> bool:
    """In a private chat, chat and person have the same id."""
    message = query.message
    return bool(query.data and message and message.chat.id == query.from_user.id)


def _first_line(message: Message) -> str:
    """Of a message of ours: what a farmer is quoted with names no case."""
    if not (message.from_user and message.from_user.is_bot):
        return ""
    return (message.text or message.caption or "").partition("\n")[0]


def _file_of(message: Message) -> _File | None:
    if message.photo:
        return _photo(max(message.photo, key=lambda size: size.width * size.height))
    if voice := message.voice:
        return _File("voice", voice.file_id, voice.file_size or 0, _mime(voice.mime_type))
    if audio := message.audio:
        name = _name(audio.file_name)
        return _File("file", audio.file_id, audio.file_size or 0, _mime(audio.mime_type), name)
    if message.document and not message.animation:  # an animation brings a document as well
        return _document(message.document)
    return None


def _photo(photo: PhotoSize) -> _File:
    return _File("photo", photo.file_id, photo.file_size or 0, "image/jpeg")


def _document(document: Document) -> _File:
    mime, size = _mime(document.mime_type), document.file_size or 0
    if mime.startswith("image/"):
        return _File("photo", document.file_id, size, mime)
    return _File("file", document.file_id, size, mime, _name(document.file_name))


def _mime(given: str | None) -> str:
    is_clean = given and re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,100}", given, re.ASCII)
    return given.lower() if given and is_clean else "application/octet-stream"


def _name(given: str | None) -> str:
    name = legible(given or "").replace("\\", "/").rpartition("/")[2]
    return name.replace("\n", " ")[-_NAME_LENGTH:]


def _other(message: Message) -> Other:
    if any(getattr(message, field) for field in _VIDEOS):
        return Other.VIDEO
    if any(getattr(message, field) for field in _PLACES):
        return Other.LOCATION
    if message.sticker:
        return Other.STICKER
    return Other.CONTACT if message.contact else Other.UNKNOWN
