"""Templates and static files, and the headers that go with them."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.channels.base import NO_PICTURES, Pictures
from bot.domain import CHINA, Block, Picture, plain

HERE = Path(__file__).parent
FOREVER = "public, max-age=31536000, immutable"


class Pages:
    """Renders the templates; static files are named with the hash of what is in them."""

    def __init__(self, pictures: Pictures = NO_PICTURES, folder: Path = HERE) -> None:
        self._files = {_hashed(path): path for path in sorted((folder / "static").iterdir())}
        self._urls = {path.name: f"/static/{name}" for name, path in self._files.items()}
        self._templates = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "dial": dial,
            "iso": datetime.isoformat,
            "moment": moment,
            "plain": plain,
            "runs": runs,
        }
        self._templates.globals |= {
            "static": self._urls.__getitem__,
            "picture": pictures,
            "picture_url": picture_url,
        }

    def render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(values)

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        headers = {"Cache-Control": "no-store"}
        return HTMLResponse(self.render(template, **values), status, headers)

    def routes(self) -> tuple[Route, ...]:
        return (Route("/static/{name}", self._static),)

    async def _static(self, request: Request) -> Response:
        path = self._files.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        mime = mimetypes.guess_type(path.name)[0]
        return Response(path.read_bytes(), headers={"Cache-Control": FOREVER}, media_type=mime)


def _hashed(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.stem}.{digest}{path.suffix}"


def picture_url(name: str, picture: Picture) -> str:
    return f"/pictures/{picture.digest}/{name}"


def runs(blocks: Iterable[Block]) -> list[tuple[str, list[Block]]]:
    """Neighbouring blocks of one kind together: items make one list."""
    return [(kind, list(run)) for kind, run in groupby(blocks, key=lambda block: block.kind)]


def dial(text: str) -> Markup:
    """拨打120 as something to press: on a phone it calls."""
    return escape(text).replace("拨打120", Markup('拨打<a href="tel:120">120</a>'))


def moment(at: datetime, now: datetime) -> str:
    """A time as people say it: 14:05, 昨天 14:05, 11月23日 14:05."""
    here, today = at.astimezone(CHINA), now.astimezone(CHINA).date()
    clock = f"{here:%H:%M}"
    if here.date() == today:
        return clock
    if here.date() == today - timedelta(days=1):
        return f"昨天 {clock}"
    year = f"{here.year}年" if here.year != today.year else ""
    return f"{year}{here.month}月{here.day}日 {clock}"


def number_in(text: str | None) -> int | None:
    """Of an address; None where there is none, or nothing that could be one."""
    return int(text) if text and text.isdecimal() and len(text) < 16 else None
