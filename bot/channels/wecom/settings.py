"""How the WeCom channel is set; plain values, so that reading them loads no library."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.errors import ConfigError

LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComSettings:
    """One robot in long-connection mode: it needs no public address and no fixed IP."""

    bot_id: str
    secret: str = field(repr=False)
    url: str = "wss://openws.work.weixin.qq.com"
    desk: str = ""  # where the pages of the desk are, for what a chat can't show
    backoff: float = 1.0  # seconds before the first new connection; doubles up to a minute
    reminder: float = 600.0  # seconds between two lists of what is still open

    def __post_init__(self) -> None:
        if not self.secret:
            mend = "在企业微信后台的智能机器人页面复制 Secret，放进 TIANWEN_WECOM_BOT_SECRET。"
            raise ConfigError(f"企业微信机器人没有 Secret。{mend}")
        address = urlsplit(self.url)
        if address.scheme != "wss" and address.hostname not in LOCAL:
            raise ConfigError("wecom 的 url 要以 wss:// 开头。")
