"""How the Telegram channel is set; plain values, so that reading them loads no library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

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
