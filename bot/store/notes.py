"""Small facts that one process writes and another reads, such as the knowledge's state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import notes


class Notes:
    """JSON objects by key; the last one written stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        words = {"value": json.dumps(value, ensure_ascii=False)}
        statement = self._database.insert(notes).values(key=key, **words)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=words))

    def get(self, key: str) -> dict[str, Any] | None:
        query = select(notes.c.value).where(notes.c.key == key)
        with self._database.read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return json.loads(text) if text else None
