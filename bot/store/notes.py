"""Small facts that one process writes and another reads, such as the knowledge's state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from bot.store.database import Database
from bot.store.tables import notes


class Notes:
    """JSON objects by key; the last one written stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        words = {"value": _text(value)}
        statement = self._database.insert(notes).values(key=key, **words)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=words))

    def get(self, key: str) -> dict[str, Any] | None:
        query = select(notes.c.value).where(notes.c.key == key)
        with self._database.read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return json.loads(text) if text else None


def replace(
    database: Database,
    connection: Connection,
    key: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> bool:
    """Whether the note still was `before` (None: there was none) and is `after` from now on."""
    if before is None:
        added = database.insert(notes).values(key=key, value=_text(after))
        written = added.on_conflict_do_nothing().returning(notes.c.key)
        return connection.execute(written).first() is not None
    is_same = (notes.c.key == key) & (notes.c.value == _text(before))
    return connection.execute(update(notes).where(is_same).values(value=_text(after))).rowcount > 0


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
