"""Signed links: who opens one on the web page goes on with the conversation he has in a chat."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain import Address

PATH = "/from/"
VALID = timedelta(days=3)  # a farmer opens it when he has a moment; whoever has it reads along


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links under `url`; changing the secret makes all of them void."""

    url: str
    secret: str = field(repr=False)
    clock: Callable[[], datetime]

    def to(self, address: Address) -> str:
        ends = int((self.clock() + VALID).timestamp())
        named = f"{address.channel}/{address.user}/{ends}"
        return f"{self.url}{PATH}{_packed(named.encode())}.{self._signature(named)}"

    def read(self, token: str) -> Address | None:
        """Whose conversation it is; None where it is not ours or too old."""
        packed, _, signature = token.partition(".")
        try:
            named = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(self._signature(named).encode(), signature.encode()):
            return None
        channel, user, ends = named.split("/")
        if self.clock() > datetime.fromtimestamp(int(ends), UTC):
            return None
        return Address(channel, user)

    def _signature(self, named: str) -> str:
        key = hashlib.sha256(f"tianwen links {self.secret}".encode()).digest()
        return _packed(hmac.digest(key, named.encode(), "sha256")[:16])


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
