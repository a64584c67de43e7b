"""What has arrived and waits to be taken, as rows and as values."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from bot.domain import Arrival
from bot.store.records import State
from bot.store.tables import NEW, is_at, messages

IS_NEW = text(f"messages.{NEW}")
ALBUM = messages.c.group == bindparam("album")
HELD_BACK = "~"  # in place of an album: words held back because the sender may go on
ARRIVAL = (messages.c.channel, messages.c.uid, messages.c.user, messages.c.raw)
WAITING = (
    select(*ARRIVAL, messages.c.group, messages.c.id, messages.c.created_at)
    .where(is_at(messages), IS_NEW)
    .order_by(messages.c.id)
)
OLDEST = WAITING.limit(1)
PARTS = WAITING.where(ALBUM)


def as_row(arrival: Arrival, now: datetime, ready_at: datetime) -> dict[str, Any]:
    return {
        "direction": "in",
        "channel": arrival.channel,
        "user": arrival.user,
        "state": State.NEW.value,
        "uid": arrival.uid,
        "group": arrival.group,
        "raw": arrival.raw,
        "created_at": now,
        "ready_at": ready_at,
    }


def head(connection: Connection, here: dict[str, str]) -> tuple[Arrival, ...]:
    """The oldest message and the other parts of its album, which all settle at one time; or
    words held back and the single messages after them."""
    oldest = connection.execute(OLDEST, here).one()
    if oldest.group == HELD_BACK:
        rows = connection.execute(WAITING, here)
        return tuple(map(arrival, takewhile(lambda row: row.group in {HELD_BACK, None}, rows)))
    if oldest.group is None:
        return (arrival(oldest),)
    return tuple(map(arrival, connection.execute(PARTS, {**here, "album": oldest.group})))


def arrival(row: Row[*tuple[Any, ...]]) -> Arrival:
    group = None if row.group == HELD_BACK else row.group
    return Arrival(row.channel, row.uid, row.user, row.raw, group, row.id, row.created_at)
