"""Sends what is due to Telegram, in as many messages as its limits ask for."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
)
from telegram.constants import MediaGroupLimit, MessageLimit
from telegram.error import BadRequest

from bot.channels.telegram.failures import translated
from bot.channels.text import cut, utf16_units
from bot.domain import Receipt
from bot.errors import OutcomeUnknown, TryLater

if TYPE_CHECKING:
    from telegram import Bot, Message

    from bot.domain import Attachment, Button, Media, Outgoing
    from bot.store import Store

logger = logging.getLogger(__name__)

Ids = tuple[str, ...]
Step = Callable[[], Coroutine[Any, Any, Ids]]
Loaded = tuple["Attachment", "Media"]

VOICE_NOTES = ("audio/ogg", "audio/mpeg", "audio/mp4")  # sendVoice takes nothing else
SHORT_LABEL = 7  # characters: two such buttons fit side by side on a phone
UNFINISHED = 256


class Sender:
    """Sends each part once: after a failure in the middle the next try goes on from there.

    What went out is remembered in this process only: after a restart in between, the parts
    before the failure are sent again.
    """

    def __init__(self, bot: Bot, store: Store) -> None:
        self._bot = bot
        self._store = store
        self._progress: dict[Outgoing, tuple[Ids, ...]] = {}  # the ids of every finished step

    async def send(self, outgoing: Outgoing) -> Receipt:
        steps = await self._steps(outgoing)
        done = self._progress.pop(outgoing, ())
        for step in steps[len(done) :]:
            try:
                with translated():
                    done += (await step(),)
            except (TryLater, OutcomeUnknown):
                self._remember(outgoing, done)
                raise
        return Receipt(tuple(one for ids in done for one in ids))

    def _remember(self, outgoing: Outgoing, done: tuple[Ids, ...]) -> None:
        self._progress[outgoing] = done
        while len(self._progress) > UNFINISHED:
            del self._progress[next(iter(self._progress))]

    async def _steps(self, outgoing: Outgoing) -> list[Step]:
        """Voices and files, then photos, then text, with the buttons at the very end."""
        loaded = await asyncio.to_thread(self._load, outgoing.attachments)
        photos = [one for one in loaded if one[0].kind == "photo"]
        others = [one for one in loaded if one[0].kind != "photo"]
        chat, text = outgoing.to.user, outgoing.text.strip()
        keyboard = _keyboard(outgoing.buttons)
        steps: list[Step] = [partial(self._send_file, chat, *one) for one in others]
        if len(photos) == 1 and utf16_units(text) <= MessageLimit.CAPTION_LENGTH:
            return [*steps, partial(self._send_photo, chat, photos[0], text, keyboard)]
        size = MediaGroupLimit.MAX_MEDIA_LENGTH
        albums = [photos[start : start + size] for start in range(0, len(photos), size)]
        steps += [partial(self._send_album, chat, album) for album in albums]
        return steps + self._text_steps(chat, text, keyboard)

    def _load(self, attachments: Sequence[Attachment]) -> list[Loaded]:
        found = [(one, self._store.media.get(one.media)) for one in attachments]
        for attachment, media in found:
            if media is None:
                logger.warning("telegram: media %s is gone, sent without", attachment.media)
        return [(attachment, media) for attachment, media in found if media]

    def _text_steps(
        self, chat: str, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> list[Step]:
        pieces = cut(text, limit=MessageLimit.MAX_TEXT_LENGTH)
        below: list[InlineKeyboardMarkup | None] = [None] * len(pieces)
        below[-1:] = [keyboard] if pieces else []
        return [partial(self._send_text, chat, *one) for one in zip(pieces, below, strict=True)]

    async def _send_text(self, chat: str, text: str, keyboard: InlineKeyboardMarkup | None) -> Ids:
        return _ids(await self._bot.send_message(chat, text, reply_markup=keyboard))

    async def _send_photo(
        self, chat: str, photo: Loaded, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> Ids:
        caption = text or None
        try:
            sent = await self._bot.send_photo(
                chat, _upload(*photo), caption=caption, reply_markup=keyboard
            )
        except BadRequest as error:
            _only_if_it_was_the_picture(error)
            sent = await self._bot.send_document(
                chat, _upload(*photo), caption=caption, reply_markup=keyboard
            )
        return _ids(sent)

    async def _send_album(self, chat: str, photos: Sequence[Loaded]) -> Ids:
        if len(photos) == 1:
            return await self._send_photo(chat, photos[0], "", None)
        try:
            album = [InputMediaPhoto(_upload(*photo)) for photo in photos]
            return _ids(*await self._bot.send_media_group(chat, album))
        except BadRequest as error:
            _only_if_it_was_the_picture(error)
            files = [InputMediaDocument(_upload(*photo)) for photo in photos]
            return _ids(*await self._bot.send_media_group(chat, files))

    async def _send_file(self, chat: str, attachment: Attachment, media: Media) -> Ids:
        upload = _upload(attachment, media)
        if attachment.kind == "voice" and media.mime in VOICE_NOTES:
            return _ids(await self._bot.send_voice(chat, upload))
        return _ids(await self._bot.send_document(chat, upload))


def _ids(*messages: Message) -> Ids:
    return tuple(str(message.message_id) for message in messages)


def _upload(attachment: Attachment, media: Media) -> InputFile:
    """The bytes themselves: a forward, or a foreign file_id, would show who sent them first."""
    extension = mimetypes.guess_extension(media.mime) or ".bin"
    return InputFile(media.content, filename=attachment.name or attachment.kind + extension)


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
