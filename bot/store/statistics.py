"""What a report counts: questions with what was decided, and cases as they stand now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from bot.domain import Case, Event
from bot.store import codec
from bot.store.database import Database
from bot.store.records import State
from bot.store.tables import case_events, cases, messages

GIVEN = frozenset({"answer", "several", codec.PICKED})


@dataclass(frozen=True, slots=True)
class Asked:
    """A farmer's question on which something was decided. `kind` is the decision's name in lower
    case, `entries` the ids answered or offered; a bare question back has neither."""

    at: datetime
    kind: str
    domain: str | None
    entries: tuple[str, ...]


class Statistics:
    """Reads what was, between two instants: from `first` to before `end`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked(self, first: datetime, end: datetime) -> Sequence[Asked]:
        return [one for one in self._decided(first, end) if one.kind != codec.PICKED]

    def given(self, first: datetime, end: datetime) -> Counter[str]:
        """How often each entry was given to a farmer, at once or as he picked it, by id."""
        decided = self._decided(first, end)
        return Counter(entry for one in decided if one.kind in GIVEN for entry in one.entries)

    def _decided(self, first: datetime, end: datetime) -> Sequence[Asked]:
        is_then = and_(messages.c.created_at >= first, messages.c.created_at < end)
        query = select(messages.c.created_at, messages.c.decision).where(
            is_then, messages.c.direction == "in", messages.c.decision.is_not(None)
        )
        with self._database.read() as connection:
            return [_asked(row.created_at, row.decision) for row in connection.execute(query)]

    def opened(self, first: datetime, end: datetime) -> Sequence[Case]:
        """Cases opened then, as they stand now, by number."""
        is_then = and_(case_events.c.at >= first, case_events.c.at < end)
        opened = select(case_events.c.case_number).where(
            is_then, case_events.c.what == Event.OPENED.value
        )
        query = select(cases.c.body, cases.c.version).where(cases.c.number.in_(opened))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(cases.c.number))
            return [codec.case(row.body, version=row.version) for row in rows]

    def undelivered(self) -> dict[int, int]:
        """How many of a case's relays have not reached their reader, now, by case number."""
        lost = messages.c.state.in_([State.HELD.value, State.DEAD.value])
        query = (
            select(messages.c.case_number, func.count())
            .where(messages.c.direction == "out", messages.c.purpose == "relay", lost)
            .group_by(messages.c.case_number)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _asked(at: datetime, decision: str) -> Asked:
    fields = json.loads(decision)
    entries = tuple(str(one[0]) for one in fields.get("entries", ()))
    return Asked(at, fields["kind"], fields.get("domain"), entries)
