"""Sends what is due to Telegram, in as many messages as its limits ask for."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)
from telegram.constants import MediaGroupLimit, MessageLimit
from telegram.error import BadRequest

from bot.channels.base import Pictures
from bot.channels.steps import Ids, Plan, Stairs, Step
from bot.channels.telegram.failures import translated
from bot.channels.text import cut, utf16_units
from bot.domain import Attachment, Block, Button, Media, Outgoing, Receipt, plain
from bot.store import Store

logger = logging.getLogger(__name__)

VOICE_NOTES = ("audio/ogg", "audio/mpeg", "audio/mp4")  # sendVoice takes nothing else
SHORT_LABEL = 7  # characters: two such buttons fit side by side on a phone
ALBUM = MediaGroupLimit.MAX_MEDIA_LENGTH.value


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Something to upload. A picture of the knowledge base has a caption of its own."""

    attachment: Attachment
    media: Media
    caption: str = ""


@dataclass(frozen=True, slots=True)
class _Chat:
    """`is_silent`: without a sound; None says nothing of it."""

    id: str
    is_silent: bool | None


class Sender:
    """Each part of a message is a step of its own."""

    def __init__(self, bot: Bot, store: Store, pictures: Pictures) -> None:
        self._bot = bot
        self._store = store
        self._pictures = pictures
        self._stairs = Stairs(translated)

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self._stairs.climb(outgoing, await self._plan(outgoing))

    async def _plan(self, outgoing: Outgoing) -> Plan:
        """Voices and files, then photos, then text with the buttons below, then its pictures."""
        loaded = await asyncio.to_thread(self._load, outgoing.attachments)
        photos = [one for one in loaded if one.attachment.kind == "photo"]
        pictures = self._find(outgoing.blocks)
        named = {one.attachment.media for one in pictures}
        words = plain(tuple(one for one in outgoing.blocks if one.picture not in named))
        chat = _Chat(outgoing.to.user, outgoing.is_silent or None)
        text = words.strip()
        keyboard = _keyboard(outgoing.buttons)
        files: list[Step] = [
            partial(self._send_file, chat, one) for one in loaded if one not in photos
        ]
        behind = self._album_steps(chat, pictures)
        if len(photos) == 1 and utf16_units(text) <= MessageLimit.CAPTION_LENGTH:
            photo = replace(photos[0], caption=text)
            files.append(partial(self._send_photo, chat, photo, keyboard))
            return Plan(tuple(files), pictures=behind)
        before = (*files, *self._album_steps(chat, photos))
        return Plan(before, self._text_steps(chat, text, keyboard), behind)

    def _find(self, blocks: Sequence[Block]) -> list[_Loaded]:
        """The pictures among the blocks; of one that is gone the caption stays in the text."""
        found = [(one, self._pictures(one.picture)) for one in blocks if one.picture]
        return [
            _Loaded(Attachment("photo", one.picture, picture.media.mime), picture.media, one.text)
            for one, picture in found
            if picture
        ]

    def _load(self, attachments: Sequence[Attachment]) -> list[_Loaded]:
        found = [(one, self._store.media.get(one.media)) for one in attachments]
        for attachment, media in found:
            if media is None:
                logger.warning("telegram: media %s is gone, sent without", attachment.media)
        return [_Loaded(attachment, media) for attachment, media in found if media]

    def _album_steps(self, chat: _Chat, photos: Sequence[_Loaded]) -> tuple[Step, ...]:
        starts = range(0, len(photos), ALBUM)
        return tuple(partial(self._send_album, chat, photos[at : at + ALBUM]) for at in starts)

    def _text_steps(
        self, chat: _Chat, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> tuple[Step, ...]:
        *before, last = cut(text, limit=MessageLimit.MAX_TEXT_LENGTH) or ("",)
        steps = [partial(self._send_text, chat, piece, None) for piece in before]
        if last:
            steps.append(partial(self._send_text, chat, last, keyboard))
        return tuple(steps)

    async def _send_text(
        self, chat: _Chat, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> Ids:
        return _ids(
            await self._bot.send_message(
                chat.id, text, reply_markup=keyboard, disable_notification=chat.is_silent
            )
        )

    async def _send_photo(
        self, chat: _Chat, photo: _Loaded, keyboard: InlineKeyboardMarkup | None
    ) -> Ids:
        caption = photo.caption or None
        try:
            sent = await self._bot.send_photo(
                chat.id,
                _upload(photo),
                caption=caption,
                reply_markup=keyboard,
                disable_notification=chat.is_silent,
            )
        except BadRequest as error:
            _only_if_it_was_the_picture(error)
            sent = await self._bot.send_document(
                chat.id,
                _upload(photo),
                caption=caption,
                reply_markup=keyboard,
                disable_notification=chat.is_silent,
            )
        return _ids(sent)

    async def _send_album(self, chat: _Chat, photos: Sequence[_Loaded]) -> Ids:
        if len(photos) == 1:
            return await self._send_photo(chat, photos[0], None)
        try:
            album = [InputMediaPhoto(*_part(photo)) for photo in photos]
            return _ids(
                *await self._bot.send_media_group(
                    chat.id, album, disable_notification=chat.is_silent
                )
            )
        except BadRequest as error:
            _only_if_it_was_the_picture(error)
            files = [InputMediaDocument(*_part(photo)) for photo in photos]
            return _ids(
                *await self._bot.send_media_group(
                    chat.id, files, disable_notification=chat.is_silent
                )
            )

    async def _send_file(self, chat: _Chat, file: _Loaded) -> Ids:
        upload, quietly = _upload(file), chat.is_silent
        if file.attachment.kind == "voice" and file.media.mime in VOICE_NOTES:
            return _ids(await self._bot.send_voice(chat.id, upload, disable_notification=quietly))
        return _ids(await self._bot.send_document(chat.id, upload, disable_notification=quietly))


def _ids(*messages: Message) -> Ids:
    return tuple(str(message.message_id) for message in messages)


def _upload(one: _Loaded, *, attach: bool = False) -> InputFile:
    """The bytes themselves: a forward would show who sent them first. `attach`: an album part."""
    extension = mimetypes.guess_extension(one.media.mime) or ".bin"
    name = one.attachment.name or one.attachment.kind + extension
    return InputFile(one.media.content, filename=name, attach=attach)


def _part(one: _Loaded) -> tuple[InputFile, str | None]:
    """Of an album."""
    return _upload(one, attach=True), one.caption or None


def _only_if_it_was_the_picture(error: BadRequest) -> None:
    """Telegram takes no photo longer than 20 times its width; as a file it goes through."""
    if not any(sign in error.message.lower() for sign in ("photo", "image", "media")):
        raise error


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    rows: list[list[InlineKeyboardButton]] = []
    is_open = False
    for button in buttons:
        is_short = len(button.label) <= SHORT_LABEL
        place = InlineKeyboardButton(button.label, callback_data=button.action)
        if is_open and is_short:
            rows[-1].append(place)
        else:
            rows.append([place])
        is_open = is_short and len(rows[-1]) == 1
    return InlineKeyboardMarkup(rows) if rows else None
