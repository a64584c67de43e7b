"""Pictures of the knowledge base: as public as the answers in which they stand."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.channels.base import Pictures
from bot.channels.web.pages import FOREVER

# Opened alone, the browser's own viewer writes styles to fit the picture to the screen.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class PictureRoom:
    """Serves what the knowledge of the moment names, and no file of any disk."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def routes(self) -> Sequence[BaseRoute]:
        return (Route("/pictures/{digest}/{domain}/{name}", self._serve),)

    async def _serve(self, request: Request) -> Response:
        """A page may be older than the picture, or another process newer: the name decides."""
        asked = request.path_params
        picture = self._pictures(f"{asked['domain']}/{asked['name']}")
        if picture is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": FOREVER if asked["digest"] == picture.digest else "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
        }
        media = picture.media
        return Response(media.content, headers=headers, media_type=media.mime)
