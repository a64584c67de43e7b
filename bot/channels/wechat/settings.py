"""How the WeChat channel is set; plain values, so that reading them loads no library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from bot.errors import ConfigError

PATH = "/wechat"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatSettings:
    """One account. `pushes`: it is verified and may write first (客服消息).

    The platform cuts a call off after 5 s and makes it three times; `hold` is how long a call
    waits for the answer, `last_hold` the last one, `hang` when it is surely cut.
    """

    app_id: str
    token: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)  # EncodingAESKey: the current one, the one before
    secret: str = field(default="", repr=False)  # AppSecret
    pushes: bool = False
    is_plain: bool = False  # 明文模式, for development only
    base_url: str = "https://api.weixin.qq.com"
    picture_hosts: tuple[str, ...] = (".qpic.cn",)
    calls: int = 3
    hold: float = 4.5
    last_hold: float = 4.2
    hang: float = 7.0
    timeout: float = 20.0  # seconds for an answer to one request of ours

    def __post_init__(self) -> None:
        if not re.fullmatch(r"wx[0-9a-zA-Z]{16}", self.app_id):
            raise ConfigError(
                "公众号的 app_id 格式不对：在公众平台“设置与开发”里抄，wx 开头共 18 位。"
            )
        if self.pushes and not self.secret:
            mend = "在公众平台重置一个 AppSecret，放进环境变量 TIANWEN_WECHAT_SECRET。"
            raise ConfigError(f"公众号要主动发消息（pushes: true），但没有 AppSecret。{mend}")


# 客服消息: 5 messages in the 48 h after a user wrote; 3 in the minute after he followed, scanned
# or pressed the menu (documentation of 2023-06-12 and since).
AFTER_MESSAGE = 5, timedelta(hours=48)
AFTER_EVENT = 3, timedelta(minutes=1)
KEPT_FOR_PEOPLE = 1  # of those five: a commissioner's answer comes later than ours
