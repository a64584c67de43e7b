"""What time it is; the one place that asks the machine."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bot.domain import CHINA


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().astimezone(CHINA).date()
