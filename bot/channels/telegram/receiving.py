"""Takes updates by polling or webhook; each is stored before Telegram is told so."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot.channels.base import Bell, body_of
from bot.channels.telegram.failures import TOKEN_PAUSE, TOKEN_REFUSED, retry_seconds
from bot.channels.telegram.settings import TelegramSettings
from bot.domain import Arrival
from bot.errors import ConfigError
from bot.store import Store

logger = logging.getLogger(__name__)

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
HOLD = "telegram-poll"  # one poller a token: Telegram answers a second one with 409
BODY_LIMIT = 256 * 1024  # bytes; a text of 4096 units with all its entities is far below
ALBUM = timedelta(seconds=1.5)  # an album's parts arrive as separate updates
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
LONGEST_PAUSE = 60.0  # seconds


class Receiver:
    """Brings every update into the store's inbox, at least once from Telegram, once for us."""

    def __init__(
        self,
        settings: TelegramSettings,
        bot: Bot,
        store: Store,
        arrived: Bell,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._bot = bot
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._offset: int | None = None
        self._is_known = False  # Telegram has taken the token at least once

    async def show_menu(self) -> None:
        """The commands behind the chat's menu button; Telegram keeps them, so failing once does
        no harm."""
        if self._settings.menu:
            with suppress(TelegramError):
                await self._bot.set_my_commands(self._settings.menu)

    async def poll(self) -> None:
        """Raise ConfigError when the token is refused at the start; outlive everything else."""
        _ignore_advice_against_raw_updates()
        await self._again_and_again(self._poll_once, is_done=lambda: False)

    async def be_called(self) -> None:
        """Tell Telegram where our route is, then leave the rest to the route."""
        settings = self._settings
        is_set = asyncio.Event()

        async def set_webhook() -> None:
            await self._bot.set_webhook(
                settings.webhook_url, secret_token=settings.secret, allowed_updates=list(KINDS)
            )
            is_set.set()

        await self._again_and_again(set_webhook, is_done=is_set.is_set)
        await asyncio.Event().wait()

    def routes(self) -> Sequence[BaseRoute]:
        if self._settings.mode == "polling":
            return ()
        path = urlsplit(self._settings.webhook_url).path
        return (Route(path, self._called, methods=["POST"]),)

    async def keep(self, update: Mapping[str, Any]) -> None:
        """Return when the update is on disk; a repeated one changes nothing."""
        arrival = as_arrival(update, bot_id=self._settings.bot_id)
        settle = ALBUM if arrival.group else timedelta(0)
        receive = self._store.inbox.receive
        await asyncio.to_thread(receive, arrival, self._clock(), settle=settle)
        self._arrived.ring()
        if settle:
            loop = asyncio.get_running_loop()
            loop.call_later(settle.total_seconds(), self._arrived.ring)

    async def _again_and_again(
        self, act: Callable[[], Any], *, is_done: Callable[[], bool]
    ) -> None:
        failures = 0
        while not is_done():
            try:
                await act()
                failures = 0
            except Exception as error:  # noqa: BLE001 - outlives a lost network or database
                failures += 1
                self._explain(error, failures)
                await asyncio.sleep(self._pause(error, failures))

    def _explain(self, error: Exception, failures: int) -> None:
        if not isinstance(error, InvalidToken):
            # The class only: a message could carry a farmer's words.
            logger.warning("telegram: %s, failure %d", type(error).__name__, failures)
        elif self._is_known:
            logger.error(TOKEN_REFUSED)
        else:
            raise ConfigError(TOKEN_REFUSED) from error

    def _pause(self, error: Exception, failures: int) -> float:
        if isinstance(error, RetryAfter):
            return retry_seconds(error)
        if isinstance(error, InvalidToken):
            return TOKEN_PAUSE
        return float(min(LONGEST_PAUSE, self._settings.backoff * 2 ** min(failures - 1, 16)))

    async def _poll_once(self) -> None:
        if not await asyncio.to_thread(self._store.hold, HOLD):
            await asyncio.sleep(self._settings.backoff * 5)
            return
        try:
            updates = await self._get_updates()
        except Conflict as error:
            if "webhook" in str(error):
                await self._bot.delete_webhook()
            raise
        for update in updates:
            await self._keep_and_advance(update)

    async def _get_updates(self) -> list[Any]:
        request = {"timeout": self._settings.poll_seconds, "allowed_updates": list(KINDS)}
        if self._offset is not None:
            request["offset"] = self._offset
        updates = await self._bot.do_api_request(
            "getUpdates",
            api_kwargs=request,
            read_timeout=self._settings.poll_seconds + self._settings.timeout,
        )
        self._is_known = True
        return list(updates)

    async def _keep_and_advance(self, update: Any) -> None:
        if not has_id(update):
            logger.error("telegram: an update without update_id was left out")
            return
        await self.keep(update)
        self._offset = update["update_id"] + 1

    async def _called(self, request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, self._settings.secret.encode()):
            return Response(status_code=403)
        body = await body_of(request, most=BODY_LIMIT)
        if body is None:
            return Response(status_code=413)
        update = _parsed(body)
        if not has_id(update):
            return Response(status_code=400)
        try:
            await self.keep(update)
        except Exception as error:  # noqa: BLE001 - Telegram repeats what got no 2xx
            logger.error("telegram: update not stored: %s", type(error).__name__)  # noqa: TRY400
            return Response(status_code=503)
        return Response(status_code=200)


def as_arrival(update: Mapping[str, Any], *, bot_id: str) -> Arrival:
    """The conversation is the private chat; what can't be placed gets one of its own."""
    body = next((update[kind] for kind in KINDS if kind in update), None)
    user = _dig(body, "chat", "id") or _dig(body, "from", "id")
    group = _dig(body, "media_group_id")
    return Arrival(
        channel="telegram",
        uid=f"{bot_id}:{update['update_id']}",
        user=str(user or "unknown"),
        raw=json.dumps(update),  # ASCII only: no half surrogate or NUL reaches the database
        group=str(group) if group else None,
    )


def has_id(update: Any) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _ignore_advice_against_raw_updates() -> None:
    # Bot.get_updates() fails on a whole batch for one odd update, so we ask for raw JSON.
    warnings.filterwarnings("ignore", "Please use 'Bot.getUpdates'", PTBUserWarning)
