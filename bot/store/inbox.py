"""Incoming messages, from the moment they are kept to the turn that answers them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from bot.domain import Address, Arrival, Context, Incoming, Turn
from bot.store import codec, history
from bot.store.context import read_context
from bot.store.records import Shown, State
from bot.store.tables import conversations, messages, numbers
from bot.store.turns import TurnWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.store.accounts import Accounts
    from bot.store.database import Database

logger = logging.getLogger(__name__)

MANY = 100
NEW = literal_column(f"'{State.NEW.value}'")  # as in the partial indexes
HELD = literal_column(f"'{State.HELD.value}'")


class _AlreadySaved(Exception):  # noqa: N818 - an answer, not an error
    """Another worker took the same message after this one's lease ran out."""


class Inbox:
    """The way in. Messages of one conversation are taken in order, one claim at a time."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    def receive(
        self, arrival: Arrival, now: datetime, *, settle: timedelta = timedelta(0)
    ) -> int | None:
        """Keep an arrival for good and return its message id; None if its uid is known.

        An album is ready `settle` after its last part. Whatever was held for this user becomes
        due again: he can be reached now.
        """
        address = Address(arrival.channel, arrival.user)
        seen = {"channel": arrival.channel, "user": arrival.user, "last_seen": now}
        with self._database.write() as connection:
            connection.execute(
                self._database.insert(conversations)
                .values(**seen)
                .on_conflict_do_update(
                    index_elements=["channel", "user"], set_={"last_seen": now}
                )
            )
            number = self._keep(connection, arrival, now, now + settle)
            if number is not None:
                _settle(connection, arrival, now + settle)
                _release(connection, address, now)
        return number

    def _keep(
        self, connection: Connection, arrival: Arrival, now: datetime, ready_at: datetime
    ) -> int | None:
        row = {
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
        statement = self._database.insert(messages).values(**row).on_conflict_do_nothing()
        return connection.execute(statement.returning(messages.c.id)).scalar_one_or_none()

    def claim(self, now: datetime, *, lease: timedelta) -> tuple[Arrival, ...]:
        """The next message, with the other parts of its album; () where nothing is ready.

        The conversation is nobody else's until the message is saved, dropped, postponed or set
        aside, or the lease is over. The second look is needed on PostgreSQL: what the first one
        saw may have been taken before its row was locked.
        """
        with self._database.write() as connection:
            while address := _lock_next(connection, now, now + lease):
                if parts := _head(connection, address, now):
                    return parts
                _unclaim(connection, address)
        return ()

    def next_at(self) -> datetime | None:
        """When the earliest waiting message becomes ready: albums settle, failures are put off."""
        is_new = messages.c.state == NEW
        query = select(func.min(messages.c.ready_at)).where(is_new)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def context(self, incoming: Incoming, now: datetime) -> Context:
        with self._database.read() as connection:
            people = self._accounts.people(connection)
            return read_context(connection, incoming, now, people)

    def draw_number(self) -> int:
        """The next case number; a turn that is not saved leaves a gap."""
        one_more = numbers.c.value + 1
        statement = update(numbers).where(numbers.c.name == "case").values(value=one_more)
        with self._database.write() as connection:
            return connection.execute(statement.returning(numbers.c.value)).scalar_one()

    def save(
        self, turn: Turn, incoming: Incoming, arrivals: Sequence[Arrival], now: datetime
    ) -> None:
        """Everything that follows from a message, at once; Conflict if a case or the invitation
        has changed. A message that another worker has saved by now is left as it is."""
        try:
            with self._database.write() as connection:
                self._take(connection, turn, incoming, now)
                others = [one for one in arrivals if one.id != incoming.id]
                _mark(connection, others, state=State.DONE.value, done_at=now)
                TurnWriter(self._database, connection, now).write(turn, incoming)
        except _AlreadySaved:
            logger.warning("message %d was saved by another worker", incoming.id)

    @staticmethod
    def _take(connection: Connection, turn: Turn, incoming: Incoming, now: datetime) -> None:
        """The conversation's row first: `receive` locks in the same order."""
        values = {
            "memory": codec.dump(turn.memory),
            "claimed_until": None,
            "position": conversations.c.position + 1,
        }
        place = connection.execute(
            update(conversations)
            .where(_is_of(conversations, incoming.sender))
            .values(values)
            .returning(conversations.c.position)
        ).scalar_one()
        is_this = and_(messages.c.id == incoming.id, messages.c.state == State.NEW.value)
        done = {
            "state": State.DONE.value,
            "body": codec.dump(incoming),
            "case_number": turn.filed_under,
            "decision": codec.summary(turn.decision),
            "position": place,
            "done_at": now,
        }
        if connection.execute(update(messages).where(is_this).values(done)).rowcount == 0:
            raise _AlreadySaved

    def save_follow_up(self, turn: Turn, now: datetime) -> None:
        """A turn made by the clock: it has case changes and replies only."""
        with self._database.write() as connection:
            TurnWriter(self._database, connection, now).write(turn)

    def drop(self, arrivals: Sequence[Arrival], now: datetime) -> None:
        """Nothing in it for the conversation."""
        self._let_go(arrivals, state=State.DROPPED.value, done_at=now)

    def postpone(self, arrivals: Sequence[Arrival], until: datetime, error: str) -> None:
        """Try again later; what the user wrote after it waits too."""
        more = messages.c.attempts + 1
        self._let_go(arrivals, ready_at=until, error=error, attempts=more)

    def set_aside(self, arrivals: Sequence[Arrival], error: str) -> None:
        """It can never be read; staff find it by its state."""
        self._let_go(arrivals, state=State.FAILED.value, error=error)

    def attempts(self, arrivals: Sequence[Arrival]) -> int:
        """How often these were postponed."""
        query = select(func.max(messages.c.attempts)).where(_are(arrivals))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one() or 0

    def _let_go(self, arrivals: Sequence[Arrival], **values: Any) -> None:
        with self._database.write() as connection:
            _unclaim(connection, Address(arrivals[0].channel, arrivals[0].user))
            _mark(connection, arrivals, **values)

    def recover(self) -> None:
        """At the start of the only process there is (SQLite): nobody holds anything, and what
        was being sent may have arrived."""
        doubtful = {"state": State.DOUBTFUL.value, "is_doubtful": True}
        with self._database.write() as connection:
            connection.execute(update(conversations).values(claimed_until=None))
            connection.execute(
                update(messages)
                .where(messages.c.state == State.SENDING.value)
                .values(**doubtful, ready_at=messages.c.created_at)
            )

    def history(
        self, address: Address, *, after: int = 0, limit: int = 100
    ) -> tuple[Shown, ...]:
        """What this user wrote and was sent, in the order in which it was taken and delivered:
        the next `limit` lines after a cursor, or without one the last `limit` lines."""
        with self._database.read() as connection:
            return history.shown(connection, address, after=after, limit=limit)

    def waiting(self, address: Address) -> tuple[Arrival, ...]:
        """What this user wrote and no worker has taken yet."""
        with self._database.read() as connection:
            return _arrivals(connection, _is_of(messages, address), messages.c.state == NEW)

    def tally(self) -> dict[str, int]:
        """Incoming messages by state."""
        return tally(self._database, "in")


def tally(database: Database, direction: str) -> dict[str, int]:
    query = select(messages.c.state, func.count(messages.c.id)).group_by(messages.c.state)
    with database.read() as connection:
        rows = connection.execute(query.where(messages.c.direction == direction))
        return {row[0]: row[1] for row in rows}


def _is_of(table: Any, address: Address) -> ColumnElement[bool]:
    return and_(table.c.channel == address.channel, table.c.user == address.user)


def _are(arrivals: Sequence[Arrival]) -> ColumnElement[bool]:
    return messages.c.id.in_([arrival.id for arrival in arrivals])


def _mark(connection: Connection, arrivals: Sequence[Arrival], **values: Any) -> None:
    if arrivals:
        is_new = messages.c.state == State.NEW.value
        connection.execute(update(messages).where(_are(arrivals), is_new).values(**values))


def _settle(connection: Connection, arrival: Arrival, ready_at: datetime) -> None:
    """A part of an album puts all its parts off."""
    if arrival.group is None:
        return
    is_part = and_(messages.c.group == arrival.group, messages.c.state == NEW)
    is_his = _is_of(messages, Address(arrival.channel, arrival.user))
    connection.execute(update(messages).where(is_his, is_part).values(ready_at=ready_at))


def _release(connection: Connection, address: Address, now: datetime) -> None:
    is_held = and_(_is_of(messages, address), messages.c.state == HELD)
    values = {"state": State.PENDING.value, "ready_at": now}
    connection.execute(update(messages).where(is_held).values(values))


def _lock_next(connection: Connection, now: datetime, until: datetime) -> Address | None:
    """Claim the conversation whose oldest message has waited longest."""
    older = messages.alias()
    is_behind = exists().where(
        older.c.channel == messages.c.channel,
        older.c.user == messages.c.user,
        older.c.state == NEW,
        older.c.id < messages.c.id,
    )
    is_free = or_(conversations.c.claimed_until.is_(None), conversations.c.claimed_until <= now)
    is_same_user = and_(
        conversations.c.channel == messages.c.channel, conversations.c.user == messages.c.user
    )
    next_one = (
        select(conversations.c.id)
        .join(messages, is_same_user)
        .where(messages.c.state == NEW, messages.c.ready_at <= now, is_free, ~is_behind)
        .order_by(messages.c.id)
        .limit(1)
        .with_for_update(of=conversations, skip_locked=True)
    )
    row = connection.execute(
        update(conversations)
        .where(conversations.c.id == next_one.scalar_subquery())
        .values(claimed_until=until)
        .returning(conversations.c.channel, conversations.c.user)
    ).one_or_none()
    return Address(row.channel, row.user) if row else None


def _unclaim(connection: Connection, address: Address) -> None:
    is_this = _is_of(conversations, address)
    connection.execute(update(conversations).where(is_this).values(claimed_until=None))


def _head(connection: Connection, address: Address, now: datetime) -> tuple[Arrival, ...]:
    """The oldest message and the other parts of its album, which all settle at one time."""
    is_his = and_(_is_of(messages, address), messages.c.state == NEW)
    oldest = select(messages).where(is_his).order_by(messages.c.id).limit(1)
    row = connection.execute(oldest).one_or_none()
    if row is None or row.ready_at > now:
        return ()
    if row.group is None:
        return (_arrival(row),)
    return _arrivals(connection, is_his, messages.c.group == row.group)


def _arrivals(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Arrival, ...]:
    query = select(messages).where(*conditions).order_by(messages.c.id).limit(MANY)
    return tuple(_arrival(row) for row in connection.execute(query))


def _arrival(row: Row[Any]) -> Arrival:
    return Arrival(row.channel, row.uid, row.user, row.raw, row.group, row.id)
