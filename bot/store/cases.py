"""Reading cases: for the turn, the clock and the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from bot.domain import Address, Case, CaseState
from bot.store import codec
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.history import thread
from bot.store.records import ThreadItem
from bot.store.tables import at, case_people, cases, is_at

RECENT = timedelta(days=30)  # a closed case can be spoken of, and reopened, this long
IS_OPEN = cases.c.is_open.is_(True)
MANY = 200


def _chosen(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(cases.c.body, cases.c.version).where(*conditions)


def _recent(is_his: ColumnElement[bool]) -> Select[Any]:
    """Open ones and those closed lately, newest first."""
    is_recent = or_(IS_OPEN, cases.c.changed_at >= bindparam("since"))
    newest = (cases.c.is_open.desc(), cases.c.number.desc())
    return _chosen(is_his, is_recent).order_by(*newest).limit(MANY)


OF_FARMER = _recent(is_at(cases))
LOAD = (
    select(cases.c.holder, func.count(cases.c.number))
    .where(IS_OPEN, cases.c.holder.is_not(None), cases.c.state != CaseState.ANSWERED.value)
    .group_by(cases.c.holder)
)


class Cases:
    """Every question that went to a person. Cases change only through a saved turn."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    def get(self, number: int) -> Case | None:
        found = self._read(_chosen(cases.c.number == number))
        return found[0] if found else None

    def overdue(self, now: datetime) -> tuple[Case, ...]:
        """Open cases that follow-up should look at, longest waiting first."""
        is_due = and_(cases.c.due_at <= now, IS_OPEN)
        return self._read(_chosen(is_due).order_by(cases.c.due_at).limit(MANY))

    def of_farmer(self, address: Address, *, include_closed: int = 20) -> tuple[Case, ...]:
        """His open cases and the last few closed ones, newest first."""
        is_his = and_(cases.c.channel == address.channel, cases.c.user == address.user)
        return self._listed(is_his, include_closed)

    def for_commissioner(
        self, commissioner_id: str, *, is_dispatcher: bool, include_closed: int = 0
    ) -> tuple[Case, ...]:
        """What was ever offered to him, for a dispatcher everything; newest first."""
        is_his = cases.c.number > 0 if is_dispatcher else _was_shown_to(commissioner_id)
        return self._listed(is_his, include_closed)

    def thread(self, number: int) -> tuple[ThreadItem, ...]:
        """All that was said and done about a case, in time order."""
        with self._database.read() as connection:
            found = _decoded(connection, _chosen(cases.c.number == number))
            if not found:
                return ()
            return thread(connection, found[0], self._accounts.people(connection))

    def addresses(self) -> Mapping[str, tuple[Address, ...]]:
        """Where each commissioner is reached, by id; those without an address are left out."""
        return self._accounts.bindings()

    def load(self) -> dict[str, int]:
        """Cases in hand by commissioner id: open, and not answered yet."""
        with self._database.read() as connection:
            return load(connection)

    def is_shown_to(self, number: int, commissioner_id: str) -> bool:
        """Whether the case was ever offered to him."""
        query = _chosen(and_(cases.c.number == number, _was_shown_to(commissioner_id)))
        return bool(self._read(query))

    def _listed(self, is_his: ColumnElement[bool], include_closed: int) -> tuple[Case, ...]:
        newest = cases.c.number.desc()
        found = self._read(_chosen(is_his, IS_OPEN).order_by(newest).limit(MANY))
        if not include_closed:
            return found
        closed = _chosen(is_his, ~IS_OPEN).order_by(cases.c.changed_at.desc())
        return found + self._read(closed.limit(include_closed))

    def _read(self, query: Select[Any]) -> tuple[Case, ...]:
        with self._database.read() as connection:
            return _decoded(connection, query)


def farmers(connection: Connection, farmer: Address, now: datetime) -> tuple[Case, ...]:
    """His open and recently closed cases, oldest first."""
    return _in_order(connection, OF_FARMER, {**at(farmer), "since": now - RECENT})


def commissioners(
    connection: Connection,
    commissioner_id: str,
    now: datetime,
    *,
    is_dispatcher: bool,
    meant: int | None,
) -> tuple[Case, ...]:
    """Open and recent cases that he was ever offered, for a dispatcher everybody's: he may take
    what nobody has accepted, and hears who was faster. Of more than `MANY` the newest, and the one
    that he means. Oldest first."""
    is_his = cases.c.number > 0 if is_dispatcher else _was_shown_to(commissioner_id)
    values = {"since": now - RECENT}
    found = _in_order(connection, _recent(is_his), values)
    if meant is None or len(found) < MANY or any(case.number == meant for case in found):
        return found
    its = _recent(is_his & (cases.c.number == meant))
    return (*_in_order(connection, its, values), *found)


def load(connection: Connection) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(LOAD)}


def _was_shown_to(commissioner_id: str) -> ColumnElement[bool]:
    return cases.c.number.in_(
        select(case_people.c.case_number).where(case_people.c.commissioner == commissioner_id)
    )


def _in_order(
    connection: Connection, query: Select[Any], values: Mapping[str, Any]
) -> tuple[Case, ...]:
    found = _decoded(connection, query, values)
    return tuple(sorted(found, key=lambda case: case.number))


def _decoded(
    connection: Connection, query: Select[Any], values: Mapping[str, Any] | None = None
) -> tuple[Case, ...]:
    rows = connection.execute(query, values)
    return tuple(codec.case(row.body, version=row.version) for row in rows)
