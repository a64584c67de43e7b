"""Telegram's and the network's failures, told as this program's errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.errors import ChannelError, Moved, OutcomeUnknown, Rejected, TryLater, Unreachable

logger = logging.getLogger(__name__)

TOKEN_REFUSED = "Telegram 不认这个机器人 token：请核对 token，或在 BotFather 重新领取。"  # noqa: S105
TOKEN_PAUSE = 300.0  # seconds: staff have to mend it first

# The connection was never made, so the request can't have arrived.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_GONE = ("chat not found", "peer_id_invalid", "user not found", "chat_id is empty")
# A gateway in between gave up: the server behind it may have done the work.
_GATEWAY = ("bad gateway", "gateway timeout", "gateway time-out")


@contextmanager
def translated() -> Iterator[None]:
    """Raise a ChannelError in place of whatever the library raises inside."""
    try:
        yield
    except TelegramError as error:
        raise as_channel_error(error) from error


def as_channel_error(error: TelegramError) -> ChannelError:
    match error:
        case RetryAfter():
            return TryLater("flood control", retry_after=retry_seconds(error))
        case ChatMigrated():
            return Moved(str(error.new_chat_id))
        case Forbidden():
            return Unreachable(error.message)
        case InvalidToken():
            logger.error(TOKEN_REFUSED)
            return TryLater("token refused", retry_after=TOKEN_PAUSE)
        case BadRequest():
            is_gone = any(sign in error.message.lower() for sign in _GONE)
            return Unreachable(error.message) if is_gone else Rejected(error.message)
        case NetworkError():
            return _of_network(error)
    return TryLater(error.message)


def retry_seconds(error: RetryAfter) -> float:
    """The library is changing this number from int to timedelta; both are taken."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _of_network(error: NetworkError) -> ChannelError:
    cause = error.__cause__
    if isinstance(cause, _NEVER_SENT):
        return TryLater(type(cause).__name__)
    if cause is not None:
        return OutcomeUnknown(type(cause).__name__)
    words = error.message.lower()
    if "too large" in words:
        return Rejected(error.message)
    if any(sign in words for sign in _GATEWAY):
        return OutcomeUnknown(error.message)
    return TryLater(error.message)
