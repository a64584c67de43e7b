"""What a page's form posts: words, a pressed button, photos."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.channels.photos import clean_photo
from bot.channels.text import legible
from bot.channels.web.guard import Clock
from bot.channels.web.settings import WebSettings
from bot.domain import Attachment
from bot.errors import Refused
from bot.store import Store

FIELDS = 12  # more than any of our forms has
FIELD_BYTES = 64 * 1024
PRESS_BYTES = 64
DECODERS = 2  # photos decoded at a time: each may take 240 MB for a moment


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it came, within its limits."""

    csrf: str
    uid: str
    text: str = ""
    press: str | None = None
    photos: tuple[bytes, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.press or self.photos)


async def read_submission(request: Request, settings: WebSettings) -> Submission:
    """The posted form; Refused, in Chinese, where it goes beyond a limit."""
    most = settings.photos + 1  # a browser posts an empty file field as one
    try:
        async with request.form(
            max_files=most, max_fields=FIELDS, max_part_size=FIELD_BYTES
        ) as form:
            return await _submission(form, settings)
    except HTTPException as error:
        if error.status_code != 400:  # Starlette's word for a bad multipart
            raise
        limits = f"最多 {settings.text_limit} 字、{settings.photos} 张照片"
        raise Refused(f"没有收下：一次{limits}。") from error


async def read_csrf(request: Request) -> str:
    """The token of a form that has nothing else to say."""
    async with request.form(max_files=0, max_fields=4) as form:
        return _field(form, "csrf")


async def _submission(form: FormData, settings: WebSettings) -> Submission:
    text = _field(form, "text").strip()
    if len(text) > settings.text_limit:
        raise Refused(f"字数太多了，一次最多 {settings.text_limit} 字，请分几次发。")
    press = _field(form, "press") or None
    if press and len(press.encode()) > PRESS_BYTES:
        raise Refused("这个按钮认不出来，请刷新页面再试。")
    return Submission(
        csrf=_field(form, "csrf"),
        uid=_uuid(_field(form, "uid")),
        text=text,
        press=press,
        photos=await _photos(form, settings),
    )


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return legible(value) if isinstance(value, str) else ""


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise Refused("页面不完整，请刷新后再发一次。") from error


async def _photos(form: FormData, settings: WebSettings) -> tuple[bytes, ...]:
    files = [one for one in form.getlist("photos") if isinstance(one, UploadFile) and one.size]
    if len(files) > settings.photos:
        raise Refused(f"一次最多发 {settings.photos} 张照片。")
    if any((one.size or 0) > settings.photo_bytes for one in files):
        raise Refused(f"有一张照片超过 {settings.photo_bytes // 2**20} MB，请换小一点的。")
    return tuple([await one.read() for one in files])


class Album:
    """Cleans photos and keeps them, few at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turns = asyncio.Semaphore(DECODERS)

    async def keep(self, photos: tuple[bytes, ...]) -> tuple[Attachment, ...]:
        """All or none: a bad photo refuses the whole message before anything is kept."""
        async with self._turns:
            media = [await asyncio.to_thread(clean_photo, photo) for photo in photos]
        keep, now = self._store.media.keep, self._clock()
        kept = [(one, await asyncio.to_thread(keep, one, now)) for one in media]
        return tuple(
            Attachment("photo", media_id, one.mime, flaws=one.flaws) for one, media_id in kept
        )
