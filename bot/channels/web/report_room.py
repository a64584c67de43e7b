"""The report at the desk: the office's to a dispatcher, his own to a commissioner."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.web.desk import OUTSIDE
from bot.channels.web.guard import Buckets, Clock
from bot.channels.web.ledger_board import FIRST_YEAR
from bot.channels.web.pages import Pages
from bot.channels.web.sessions import Sessions
from bot.channels.web.settings import Rate, WebSettings
from bot.domain import CHINA, Commissioner
from bot.store import Store

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RATE = Rate(10, 10)  # a report takes seconds to make
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)

When = tuple[int, int | None]  # a year, and a month of it or the whole


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes what somebody may see of a time; `page` puts a bar of ours on its head."""

    page: Callable[[Commissioner, When, str], str]
    workbook: Callable[[Commissioner, When], bytes]


class ReportRoom:
    """Two addresses beside the desk's, behind the same sessions."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: WebSettings,
        *,
        people: Iterable[Commissioner],
        reports: Reports,
    ) -> None:
        self._clock = clock
        self._people = {one.id: one for one in people}
        self._reports = reports
        self._sessions = Sessions("desk", store, clock, settings)
        self._pages = Pages()
        self._rate = Buckets(RATE, clock)

    def routes(self) -> Sequence[BaseRoute]:
        return (Route("/desk/report", self._page), Route("/desk/report.xlsx", self._file))

    async def _page(self, request: Request) -> Response:
        me = await self._who(request)
        year, month = self._when(request)
        bar = self._pages.render(
            "report_bar.html", me=me, year=year, month=month, years=self._years()
        )
        text = await asyncio.to_thread(self._reports.page, me, (year, month), bar)
        page = HTMLResponse(text, headers={"Cache-Control": "no-store"})
        page.headers["Content-Security-Policy"] = _policy(text)
        self._sessions.extend(request, page)
        return page

    async def _file(self, request: Request) -> Response:
        me = await self._who(request)
        year, month = self._when(request)
        content = await asyncio.to_thread(self._reports.workbook, me, (year, month))
        name = f"田问{year}年{f'{month}月' if month else ''}报告.xlsx"
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        }
        return Response(content, headers=headers, media_type=EXCEL)

    async def _who(self, request: Request) -> Commissioner:
        session = await self._sessions.of(request)
        me = self._people.get(session.user) if session else None
        if me is None:
            raise HTTPException(401, OUTSIDE)
        self._rate.take(me.id)
        return me

    def _when(self, request: Request) -> When:
        """What was asked for; what makes no sense is this year, or the whole of the year."""
        year = _number(request.query_params.get("year"))
        month = _number(request.query_params.get("month"))
        years = self._years()
        return year if year in years else years[0], month if month in range(1, 13) else None

    def _years(self) -> Sequence[int]:
        this = self._clock().astimezone(CHINA).year
        return range(max(this, FIRST_YEAR), FIRST_YEAR - 1, -1)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 5 else 0


def _policy(page: str) -> str:
    """A report carries its style with it, since it is a file as well: this very style is let in."""
    digests = [
        f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
        for style in _STYLE.findall(page)
    ]
    return (
        f"default-src 'none'; style-src {' '.join(digests)}; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
