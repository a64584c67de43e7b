"""The calls of WeChat's API that we make, behind one door."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx

from bot.channels.wechat.failures import TOKEN_CODES, ApiError
from bot.channels.wechat.settings import WeChatSettings
from bot.domain import Media
from bot.errors import Rejected

RENEW_EARLY = 300  # seconds: the platform renews a token five minutes before its end
LARGEST = 10 * 2**20  # bytes of a picture or voice that is fetched


class WeChatApi:
    """Raises ApiError for the platform's errors and httpx.HTTPError for the network's."""

    def __init__(self, settings: WeChatSettings) -> None:
        for name in ("httpx", "httpcore"):  # at INFO they print the URL with the token
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._http = httpx.AsyncClient(base_url=settings.base_url, timeout=settings.timeout)
        self._token = ""
        self._token_ends = 0.0
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        await self._http.aclose()

    async def token(self) -> str:
        """The access token; the stable kind, which several processes may ask for."""
        async with self._renewing:
            now = asyncio.get_running_loop().time()
            if now >= self._token_ends:
                found = _checked(await self._http.post("/cgi-bin/stable_token", json=self._asked()))
                self._token = found["access_token"]
                self._token_ends = now + max(found["expires_in"] - RENEW_EARLY, 0)
            return self._token

    def _asked(self) -> dict[str, Any]:
        keys = {"appid": self._settings.app_id, "secret": self._settings.secret}
        return {"grant_type": "client_credential", **keys, "force_refresh": False}

    async def send(self, user: str, kind: str, content: dict[str, Any]) -> None:
        """A 客服消息: `text` with content, `image` or `voice` with media_id."""
        message = {"touser": user, "msgtype": kind, kind: content}
        await self._call("/cgi-bin/message/custom/send", json=message)

    async def show_typing(self, user: str) -> None:
        """正在输入, for 15 s or until a message comes."""
        typing = {"touser": user, "command": "Typing"}
        await self._call("/cgi-bin/message/custom/typing", json=typing)

    async def upload(self, kind: str, name: str, media: Media) -> str:
        """The media_id, good for three days."""
        files = {"media": (name, media.content, media.mime)}
        found = await self._call("/cgi-bin/media/upload", params={"type": kind}, files=files)
        return str(found["media_id"])

    async def download(self, media_id: str) -> Media:
        """What a user sent, which the platform keeps for three days."""
        for is_last in (False, True):
            keys = {"access_token": await self.token(), "media_id": media_id}
            answer = await self._http.get("/cgi-bin/media/get", params=keys)
            kind = answer.headers.get("content-type", "").partition(";")[0]
            if kind not in {"application/json", "text/plain"}:
                return Media(kind or "application/octet-stream", bounded(answer.content))
            try:
                _checked(answer)
            except ApiError as error:
                self._forget_token(error, is_last=is_last)
        raise Rejected("no media in the answer")

    async def _call(self, path: str, **request: Any) -> dict[str, Any]:
        """Once more with a new token where the platform does not take ours."""
        params = request.pop("params", {})
        for is_last in (False, True):
            keys = {"access_token": await self.token(), **params}
            try:
                return _checked(await self._http.post(path, params=keys, **request))
            except ApiError as error:
                self._forget_token(error, is_last=is_last)
        raise AssertionError("the last try returns or raises")

    def _forget_token(self, error: ApiError, *, is_last: bool) -> None:
        if is_last or error.code not in TOKEN_CODES:
            raise error
        self._token_ends = 0.0


def bounded(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise Rejected("too large")
    return content


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer without an error code."""
    if answer.status_code >= 500:
        raise ApiError(-1, f"HTTP {answer.status_code}")
    try:
        found = answer.json()
    except ValueError as error:
        raise ApiError(-1, "no JSON") from error
    if not isinstance(found, dict):
        raise ApiError(-1, "no JSON object")
    if code := found.get("errcode", 0):
        raise ApiError(int(code), str(found.get("errmsg", "")))
    return found
