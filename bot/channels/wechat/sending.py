"""Pushes what is due as 客服消息, within what the platform allows after a user wrote."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.channels.base import Pictures
from bot.channels.wechat.calls import Calls
from bot.channels.wechat.client import WeChatApi
from bot.channels.wechat.failures import MAY_NOT_PUSH, QUOTA_USED, ApiError, translated
from bot.channels.wechat.settings import KEPT_FOR_PEOPLE, WeChatSettings
from bot.channels.wechat.wording import Wording
from bot.domain import Address, Attachment, Media, Outgoing, Receipt
from bot.errors import ChannelError, OutcomeUnknown, Rejected, TryLater, WindowClosed
from bot.store import Store, Waiting

logger = logging.getLogger(__name__)

IMAGE_LIMIT = 2 * 2**20  # bytes: one page of the documentation says 10 MB, another 2
VOICE_LIMIT = 2 * 2**20
VOICES = {"audio/amr": ".amr", "audio/mpeg": ".mp3"}
REMEMBERED = 256  # users


@dataclass(frozen=True, slots=True)
class _Loaded:
    kind: str  # image | voice
    name: str
    media: Media


class Sender:
    """Pictures first, then the text, so that nothing is said twice where a picture fails; what
    went out of a message that failed is remembered in this process."""

    def __init__(
        self,
        settings: WeChatSettings,
        api: WeChatApi,
        store: Store,
        clock: Callable[[], datetime],
        *,
        calls: Calls,
        wording: Wording,
        pictures: Pictures,
    ) -> None:
        self._settings = settings
        self._api = api
        self._store = store
        self._clock = clock
        self._calls = calls
        self._wording = wording
        self._pictures = pictures
        self._begun: dict[str, tuple[Outgoing, int]] = {}  # by user: media that went out

    async def send(self, outgoing: Outgoing) -> Receipt:
        if not self._settings.pushes:
            self._leave_for_a_call(outgoing.to.user)
        allowed = await self._allowed(outgoing)
        media = await asyncio.to_thread(self._load, outgoing)
        is_whole = len(media) == _pictures_of(outgoing) and len(media) < allowed
        if is_whole:
            is_whole = await self._send_media(outgoing, media)
        await self._send_text(outgoing, is_whole=is_whole)
        self._begun.pop(outgoing.to.user, None)
        return Receipt()

    def _leave_for_a_call(self, user: str) -> None:
        """It goes along with the user's call, the one that is open or the next."""
        if self._calls.is_open(user):
            raise TryLater("a call of his is open", retry_after=0)
        raise WindowClosed("this account can't write first")

    async def _allowed(self, outgoing: Outgoing) -> int:
        """How many messages this one may be."""
        left = await asyncio.to_thread(self._store.windows.left, outgoing.to, self._clock())
        allowed = left if outgoing.purpose == "relay" else left - KEPT_FOR_PEOPLE
        if allowed <= 0:
            raise WindowClosed("no message left until he writes")
        return allowed

    def _load(self, outgoing: Outgoing) -> Sequence[_Loaded]:
        """What the platform takes; the rest is seen on the page."""
        found: list[_Loaded] = []
        for one in outgoing.attachments:
            media = self._store.media.get(one.media)
            if media and (loaded := _loaded(one, media)):
                found.append(loaded)
        for block in outgoing.blocks:
            picture = self._pictures(block.picture) if block.picture else None
            if picture and len(picture.media.content) <= IMAGE_LIMIT:
                found.append(_Loaded("image", _name("picture", picture.media), picture.media))
        return found

    async def _send_media(self, outgoing: Outgoing, media: Sequence[_Loaded]) -> bool:
        """False where the platform refuses one for good: the text leads to the page then."""
        user = outgoing.to.user
        known, done = self._begun.get(user, (outgoing, 0))
        done = done if known == outgoing else 0
        for place, one in enumerate(media[done:], start=done + 1):
            try:
                await self._send_one(outgoing.to, one)
            except Rejected:
                return False
            self._remember(user, outgoing, place)
        return True

    async def _send_one(self, to: Address, one: _Loaded) -> None:
        try:
            with translated():
                media_id = await self._api.upload(one.kind, one.name, one.media)
        except OutcomeUnknown as error:  # an upload that may have come through shows nothing
            raise TryLater(str(error)) from error
        await self._push(to, one.kind, {"media_id": media_id})

    async def _send_text(self, outgoing: Outgoing, *, is_whole: bool) -> None:
        """What the user is about to see is noted first: his number may come at once."""
        before = await asyncio.to_thread(self._store.windows.of, outgoing.to)
        shown = self._wording.one(Waiting(0, outgoing), before, is_whole=is_whole)
        if not shown.text:
            return
        await asyncio.to_thread(self._store.windows.show, outgoing.to, shown.window)
        try:
            await self._push(outgoing.to, "text", {"content": shown.text})
        except ChannelError:
            await asyncio.to_thread(self._store.windows.show, outgoing.to, before)
            raise

    async def _push(self, to: Address, kind: str, content: dict[str, str]) -> None:
        await asyncio.to_thread(self._store.windows.spend, to)
        try:
            with translated():
                await self._api.send(to.user, kind, content)
        except WindowClosed as error:
            if isinstance(cause := error.__cause__, ApiError):
                await self._believe(to, cause)
            raise

    async def _believe(self, to: Address, error: ApiError) -> None:
        """The platform counts for itself: until he writes nothing more is tried."""
        await asyncio.to_thread(self._store.windows.spend, to, all_of_it=True)
        if error.code not in {QUOTA_USED, MAY_NOT_PUSH}:
            logger.info("wechat: the window of a user is closed")

    def _remember(self, user: str, outgoing: Outgoing, done: int) -> None:
        self._begun[user] = (outgoing, done)
        while len(self._begun) > REMEMBERED:
            del self._begun[next(iter(self._begun))]


def _pictures_of(outgoing: Outgoing) -> int:
    return len(outgoing.attachments) + sum(bool(block.picture) for block in outgoing.blocks)


def _loaded(one: Attachment, media: Media) -> _Loaded | None:
    size = len(media.content)
    if one.kind == "photo" and size <= IMAGE_LIMIT:
        return _Loaded("image", _name("photo", media), media)
    if one.kind == "voice" and media.mime in VOICES and size <= VOICE_LIMIT:
        return _Loaded("voice", f"voice{VOICES[media.mime]}", media)
    return None


def _name(stem: str, media: Media) -> str:
    return stem + (mimetypes.guess_extension(media.mime) or ".bin")
