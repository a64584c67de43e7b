"""The settings of the Telegram channel, and the library's Bot built from them."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from telegram import Bot
from telegram.request import HTTPXRequest

from bot.errors import ConfigError

_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """How to reach the Bot API. `webhook_url` is the public address of our own route."""

    token: str = field(repr=False)
    base_url: str = "https://api.telegram.org/bot"
    base_file_url: str = "https://api.telegram.org/file/bot"
    proxy: str | None = None
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""
    secret: str = field(default="", repr=False)
    menu: tuple[tuple[str, str], ...] = ()  # commands, without the slash, and what they do
    timeout: float = 20.0  # seconds for an answer to one request
    poll_seconds: int = 30  # how long Telegram holds an empty getUpdates open
    backoff: float = 1.0  # seconds after the first failed poll; doubles up to a minute

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+:[\w-]+", self.token):
            raise ConfigError("Telegram 的 token 格式不对，应为 BotFather 给的“数字:字母”一串。")
        if self.mode == "webhook":
            self._check_webhook()

    def _check_webhook(self) -> None:
        address = urlsplit(self.webhook_url)
        if not (address.scheme == "https" or address.hostname in _LOCAL) or not address.path:
            raise ConfigError("Telegram 的 webhook_url 要以 https:// 开头，并带路径。")
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", self.secret):
            raise ConfigError("Telegram 的 webhook 密钥要 16–256 位，只含字母、数字、_ 和 -。")

    @property
    def bot_id(self) -> str:
        return self.token.partition(":")[0]


def open_bot(settings: TelegramSettings) -> Bot:
    """A Bot that has not talked to anybody yet; polling has a connection of its own."""
    _keep_secrets_out_of_logs()
    # The library's own switch: RetryAfter.retry_after is a timedelta, as it will be for all.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    return Bot(
        settings.token,
        base_url=settings.base_url,
        base_file_url=settings.base_file_url,
        request=_requests(settings, connections=32),
        get_updates_request=_requests(settings, connections=1),
    )


def _requests(settings: TelegramSettings, *, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        proxy=settings.proxy,
        connect_timeout=10.0,
        read_timeout=settings.timeout,
        write_timeout=settings.timeout,
        media_write_timeout=60.0,  # photos over a village uplink
        pool_timeout=10.0,
    )


async def close_bot(bot: Bot) -> None:
    for request in (bot.request, bot._request[0]):  # noqa: SLF001 - shutdown() needs initialize()
        await request.shutdown()


def _keep_secrets_out_of_logs() -> None:
    # At INFO httpx prints the URL with the token; at DEBUG the other two print message bodies.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
