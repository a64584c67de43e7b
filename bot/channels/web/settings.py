"""What staff can set about the web pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a minute after that."""

    burst: int
    per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Limits and looks of the chat page and the desk page."""

    title: str = "田问"
    tagline: str = "农技问答 · 有科技特派员"
    examples: tuple[str, ...] = (
        "蜂子在箱门口满地爬，飞不起来",
        "花椒叶子背面有一层黄粉粉",
        "柑子啥时候卖，卖给哪个划算",
    )
    is_secure: bool = False  # served over https by a proxy that says nothing about it
    trusted_proxies: frozenset[str] = frozenset()  # whose X-Forwarded-* are believed
    text_limit: int = 4000  # characters
    photo_bytes: int = 10 * MIB
    photos: int = 9
    session_rate: Rate = Rate(12, 20)
    address_rate: Rate = Rate(60, 120)  # a village may share one address
    visit_rate: Rate = Rate(60, 30)  # new sessions an address
    entry_rate: Rate = Rate(10, 6)  # tries of a one-time code an address
    streams: int = 6  # live connections a user
    poll: timedelta = timedelta(seconds=5)  # how often a stream looks without being rung
    slow_after: timedelta = timedelta(seconds=20)
    patience: timedelta = timedelta(seconds=3)  # how long a desk action waits for its effect
    chat_session: timedelta = timedelta(days=365)
    desk_session: timedelta = timedelta(days=7)

    @property
    def upload_limit(self) -> int:
        """Bytes of one request with all its photos."""
        return self.photos * self.photo_bytes + MIB
