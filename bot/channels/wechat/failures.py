"""WeChat's error codes and the network's failures, told as this program's errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from bot.errors import ChannelError, OutcomeUnknown, Rejected, TryLater, Unreachable, WindowClosed

logger = logging.getLogger(__name__)

TOKEN_CODES = frozenset({40001, 40014, 42001})  # the access token is invalid or over
MAY_NOT_PUSH = 48001
QUOTA_USED = 45047
ADDRESS_UNKNOWN = 40164
PAUSE = 300.0  # seconds: staff have to mend it first
DAY_IS_FULL = 3600.0
BUSY = 2.0

_CLOSED = frozenset({45015, QUOTA_USED, MAY_NOT_PUSH})
_GONE = frozenset({43004, 43019})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

# What an office can do about it.
MENDS = {
    40001: "AppSecret 或 access_token 不对：在公众平台核对 AppSecret（重置过就要换成新的）。",
    40013: "AppID 不对：在公众平台“设置与开发 → 基本配置”里核对。",
    40125: "AppSecret 不对：在公众平台“设置与开发 → 基本配置”里重置，再换进来。",
    ADDRESS_UNKNOWN: "这台机器的 IP 不在白名单里：在“基本配置 → IP 白名单”里加上{address}。",
    45009: "今天的接口次数用完了：明天自动恢复，也可以在“接口权限”里清零。",
    MAY_NOT_PUSH: "账号没有客服消息的权限，多半没有认证：设置里先写 pushes: false。",
    50002: "这个账号的接口被限制了：登录公众平台看站内信。",
}


class ApiError(Exception):
    """The platform answered with an error code; its words may carry our IP, never a farmer's."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words


def mend_of(error: ApiError) -> str:
    """What staff can do about it, in Chinese; "" where nothing is known."""
    found = re.search(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+", error.words)
    return MENDS.get(error.code, "").format(address=f" {found[0]}" if found else "它")


@contextmanager
def translated() -> Iterator[None]:
    """Raise a ChannelError in place of what the platform or the network raises inside."""
    try:
        yield
    except ApiError as error:
        raise as_channel_error(error) from error
    except _NEVER_SENT as error:
        raise TryLater(type(error).__name__) from error
    except httpx.HTTPError as error:
        raise OutcomeUnknown(type(error).__name__) from error


def as_channel_error(error: ApiError) -> ChannelError:
    if mend := mend_of(error):
        logger.error("公众号：%s（%d）", mend, error.code)
    if error.code in _CLOSED:
        return WindowClosed(str(error.code))
    if error.code in _GONE:
        return Unreachable(str(error.code))
    if error.code == -1:
        return TryLater("busy", retry_after=BUSY)
    if error.code == 45009:
        return TryLater("quota of the day", retry_after=DAY_IS_FULL)
    if error.code in MENDS or error.code in TOKEN_CODES:
        return TryLater(str(error.code), retry_after=PAUSE)
    return Rejected(str(error.code))
