"""Browser sessions: random tokens in cookies, kept hashed in the store."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.channels.web.guard import Clock, is_https
from bot.channels.web.settings import WebSettings
from bot.domain import Address
from bot.store import Session, Store

NAME = "web"
STALE = "页面放得太久了，请刷新页面再发一次。"


class Sessions:
    """The sessions of one kind of visitor, farmers or people at the desk."""

    def __init__(
        self, kind: Literal["farmer", "desk"], store: Store, clock: Clock, settings: WebSettings
    ) -> None:
        self._kind = kind
        self._accounts = store.accounts
        self._clock = clock
        self._settings = settings

    @property
    def _is_desk(self) -> bool:
        return self._kind == "desk"

    @property
    def _life(self) -> timedelta:
        return self._settings.desk_session if self._is_desk else self._settings.chat_session

    def _cookie(self, request: Request) -> str:
        name = f"tianwen_{self._kind}"
        return f"__Host-{name}" if is_https(request, self._settings) else name

    async def of(self, request: Request) -> Session | None:
        token = request.cookies.get(self._cookie(request))
        if not token:
            return None
        session = await asyncio.to_thread(self._accounts.session, token, self._clock())
        return session if session and session.kind == self._kind else None

    async def open(self, user: str) -> tuple[str, str]:
        """A new session's (token, csrf)."""
        now = self._clock()
        return await asyncio.to_thread(self._accounts.open_session, self._kind, user, now)

    async def close(self, request: Request) -> None:
        if token := request.cookies.get(self._cookie(request)):
            await asyncio.to_thread(self._accounts.close_session, token)

    def hand_out(self, token: str, request: Request, response: Response) -> None:
        response.set_cookie(
            self._cookie(request),
            token,
            max_age=round(self._life.total_seconds()),
            httponly=True,
            secure=is_https(request, self._settings),
            samesite="strict" if self._is_desk else "lax",
        )

    def extend(self, request: Request, response: Response) -> None:
        """The cookie lives on from today: it must not end before its session, which does not
        end while it is used."""
        self.hand_out(request.cookies[self._cookie(request)], request, response)

    def take_back(self, request: Request, response: Response) -> None:
        response.delete_cookie(
            self._cookie(request), httponly=True, secure=is_https(request, self._settings)
        )


def address_of(session: Session) -> Address:
    """Where the farmer of this browser talks: on this page, or in the chat whose link he opened."""
    channel, _, user = session.user.rpartition("/")
    return Address(channel or NAME, user)


def user_of(address: Address) -> str:
    """The session user that `address_of` reads back."""
    return address.user if address.channel == NAME else f"{address.channel}/{address.user}"


def check_csrf(expected: str, given: str) -> None:
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise HTTPException(403, STALE)
