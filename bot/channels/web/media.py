"""Photos, voice notes and files, for those in whose conversation or case they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.channels.base import is_own, read_own
from bot.channels.web.guard import Clock
from bot.channels.web.sessions import Sessions, address_of
from bot.channels.web.settings import WebSettings
from bot.domain import Address, Media
from bot.store import Store

SHOWN = {"image/jpeg": "jpg"}  # ours, re-encoded: safe to show in a page
PLAYED = {"audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/amr": "amr"}
GONE = "这个文件打不开：可能不是发给您的，或者已经清理了。"


class MediaRoom:
    """The door to the media shelf; strangers see the same answer as for nothing there."""

    def __init__(self, store: Store, clock: Clock, settings: WebSettings) -> None:
        self._store = store
        self._farmers = Sessions("farmer", store, clock, settings)
        self._desks = Sessions("desk", store, clock, settings)

    def routes(self) -> Sequence[BaseRoute]:
        return (Route("/media/{media_id}", self._serve),)

    async def _serve(self, request: Request) -> Response:
        media_id = request.path_params["media_id"]
        if not await self._may_see(request, media_id):
            raise HTTPException(404, GONE)
        media = await asyncio.to_thread(self._store.media.get, media_id)
        if media is None:
            raise HTTPException(404, GONE)
        return _response(media, media_id)

    async def _may_see(self, request: Request, media_id: str) -> bool:
        if farmer := await self._farmers.of(request):
            address = address_of(farmer)
            if await asyncio.to_thread(self._is_in_talk, media_id, address):
                return True
        if desk := await self._desks.of(request):
            me = self._store.accounts.commissioners[desk.user]
            return await asyncio.to_thread(self._store.media.is_shown_to, media_id, me)
        return False

    def _is_in_talk(self, media_id: str, address: Address) -> bool:
        if self._store.media.is_shown_to(media_id, address):
            return True
        waiting = (
            read_own([arrival]) for arrival in self._store.inbox.waiting(address) if is_own(arrival)
        )
        return any(one.media == media_id for incoming in waiting for one in incoming.attachments)


def _response(media: Media, media_id: str) -> Response:
    shown = SHOWN | PLAYED
    mime = media.mime.partition(";")[0].strip()
    is_plain = mime in shown
    kind = "inline" if is_plain else "attachment"
    name = f"tianwen-{media_id[:8]}.{shown.get(mime, 'bin')}"
    headers = {
        "Content-Disposition": f'{kind}; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=86400, immutable",
        "Vary": "Cookie",
    }
    served = mime if is_plain else "application/octet-stream"
    return Response(media.content, headers=headers, media_type=served)
