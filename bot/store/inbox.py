"""Incoming messages, from the moment they are kept to the turn that answers them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    update,
)

from bot.domain import Address, Arrival, Context, Incoming, Outgoing, Turn
from bot.store import codec, history
from bot.store.accounts import Accounts
from bot.store.arrivals import ALBUM, HELD_BACK, IS_NEW, OLDEST, WAITING, as_row, head
from bot.store.arrivals import arrival as arrival_of
from bot.store.context import read_context
from bot.store.database import Database
from bot.store.records import Shown, State
from bot.store.tables import HELD, at, conversations, is_at, messages, numbers
from bot.store.turns import TurnWriter

logger = logging.getLogger(__name__)

SETTLE = update(messages).where(is_at(messages), ALBUM, IS_NEW)
SETTLE = SETTLE.values(ready_at=bindparam("until"))
IS_HELD_BACK = and_(messages.c.group == HELD_BACK, messages.c.error.is_(None))
WAKE = update(messages).where(is_at(messages), IS_HELD_BACK, IS_NEW)
WAKE = WAKE.values(ready_at=bindparam("now"))
RELEASE = update(messages).where(is_at(messages), text(HELD))
RELEASE = RELEASE.values(state=State.PENDING.value, ready_at=bindparam("now"))
HOLD = select(conversations.c.id).where(is_at(conversations)).with_for_update()
UNCLAIM = update(conversations).where(is_at(conversations)).values(claimed_until=None)

# A conversation's `ready_at` follows its oldest new message. This runs when the conversation's row
# is locked already: only then PostgreSQL sees every message that was written before.
FOLLOW = (
    update(conversations)
    .where(is_at(conversations))
    .values(ready_at=OLDEST.with_only_columns(messages.c.ready_at).scalar_subquery())
)
_is_ready = and_(
    conversations.c.ready_at <= bindparam("now"),
    or_(
        conversations.c.claimed_until.is_(None),
        conversations.c.claimed_until <= bindparam("now"),
    ),
)
_next_one = (
    select(conversations.c.id)
    .where(_is_ready)
    .order_by(conversations.c.ready_at, conversations.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(conversations)
    .where(conversations.c.id == _next_one.scalar_subquery())
    .values(claimed_until=bindparam("until"))
    .returning(conversations.c.channel, conversations.c.user)
)
_claimable_at = case(
    (conversations.c.claimed_until > conversations.c.ready_at, conversations.c.claimed_until),
    else_=conversations.c.ready_at,
)
NEXT_AT = select(func.min(_claimable_at)).where(conversations.c.ready_at.is_not(None))
REMEMBER = (
    update(conversations)
    .where(is_at(conversations))
    .values(
        memory=bindparam("new_memory"),
        claimed_until=None,
        position=conversations.c.position + 1,
    )
    .returning(conversations.c.position)
)
FINISH = (
    update(messages)
    .where(messages.c.id == bindparam("message"), IS_NEW)
    .values(
        state=State.DONE.value,
        body=bindparam("text"),
        case_number=bindparam("filed_under"),
        decision=bindparam("summary"),
        position=bindparam("place"),
        done_at=bindparam("now"),
    )
)
DRAW = (
    update(numbers)
    .where(numbers.c.name == "case")
    .values(value=numbers.c.value + 1)
    .returning(numbers.c.value)
)


class _AlreadySaved(Exception):
    """Another worker took the same message after this one's lease ran out."""


class Inbox:
    """The way in. Messages of one conversation are taken in order, one claim at a time."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts
        keep = database.insert(messages).on_conflict_do_nothing()
        self._keep = keep.returning(messages.c.id)
        greet = database.insert(conversations)
        ready_at = func.coalesce(conversations.c.ready_at, greet.excluded.ready_at)
        self._greet = greet.on_conflict_do_update(
            index_elements=["channel", "user"],
            set_={"last_seen": greet.excluded.last_seen, "ready_at": ready_at},
        )

    def receive(
        self, arrival: Arrival, now: datetime, *, settle: timedelta = timedelta(0)
    ) -> int | None:
        """Keep an arrival for good and return its message id; None if its uid is known.

        An album is ready `settle` after its last part; words held back are looked at again at
        once, with these. Whatever was held for this user becomes due again: he can be reached now.
        """
        here = at(Address(arrival.channel, arrival.user))
        row = as_row(arrival, now, now + settle)
        user = {name: row[name] for name in ("channel", "user", "ready_at")}
        with self._database.write() as connection:
            number = connection.execute(self._keep, row).scalar_one_or_none()
            if number is None:
                return None
            connection.execute(self._greet, {**user, "last_seen": now})
            moved = connection.execute(WAKE, {**here, "now": now}).rowcount
            if arrival.group is not None:  # a part of an album puts all its parts off
                parts = {**here, "album": arrival.group, "until": now + settle}
                moved += connection.execute(SETTLE, parts).rowcount
            if moved:
                connection.execute(FOLLOW, here)
            connection.execute(RELEASE, {**here, "now": now})
            return int(number)

    def claim(self, now: datetime, *, lease: timedelta) -> tuple[Arrival, ...]:
        """The next message, with the other parts of its album, or, where it was held back, with
        what was written since; () where nothing is ready.

        The conversation is nobody else's until the message is saved, dropped, postponed or set
        aside, or the lease is over.
        """
        times = {"now": now, "until": now + lease}
        with self._database.write() as connection:
            row = connection.execute(CLAIM, times).one_or_none()
            return head(connection, at(Address(row.channel, row.user))) if row else ()

    def next_at(self) -> datetime | None:
        """When `claim` will have something, unless more is written or a claim is let go: albums
        settle, failures are put off, leases end."""
        with self._database.read() as connection:
            return connection.execute(NEXT_AT).scalar_one_or_none()

    def context(self, incoming: Incoming, now: datetime, *, with_ledger: bool = True) -> Context:
        """`with_ledger`: with a commissioner's own lines of the year, which grow by the day."""
        with self._database.read() as connection:
            people = self._accounts.people(connection)
            return read_context(connection, incoming, now, people, with_ledger=with_ledger)

    def draw_number(self) -> int:
        """The next case number; a turn that is not saved leaves a gap."""
        with self._database.write() as connection:
            return int(connection.execute(DRAW).scalar_one())

    def save(
        self,
        turn: Turn,
        incoming: Incoming,
        arrivals: Sequence[Arrival],
        now: datetime,
        *,
        said: Sequence[Incoming] = (),
    ) -> None:
        """Everything that follows from a message, at once; Conflict if a case or the invitation
        has changed. A message that another worker has saved by now is left as it is. `said` are
        the messages in a row that `incoming` is made of, to be shown as they were written."""
        whole = said or (incoming,)
        known = {one.id for one in whole}
        others = [arrival for arrival in arrivals if arrival.id not in known]
        try:
            with self._database.write() as connection:
                for one in whole:
                    _take(connection, turn, one, now, is_decided=one.id == incoming.id)
                if others:
                    _mark(connection, others, state=State.DONE.value, done_at=now)
                connection.execute(FOLLOW, at(incoming.sender))
                TurnWriter(self._database, connection, now).write(turn, incoming)
        except _AlreadySaved:
            logger.warning("message %d was saved by another worker", incoming.id)

    def save_follow_up(self, turn: Turn, now: datetime) -> None:
        """A turn made by the clock: it has case changes and replies only."""
        with self._database.write() as connection:
            TurnWriter(self._database, connection, now).write(turn)

    def drop(self, arrivals: Sequence[Arrival], now: datetime) -> None:
        """Nothing in it for the conversation."""
        with self._database.write() as connection:
            _let_go(connection, arrivals, state=State.DROPPED.value, done_at=now)

    def postpone(self, arrivals: Sequence[Arrival], until: datetime, error: str) -> None:
        """Try again later; what the user wrote after it waits too."""
        more = messages.c.attempts + 1
        with self._database.write() as connection:
            _let_go(connection, arrivals, ready_at=until, error=error, attempts=more)

    def hold_back(self, arrivals: Sequence[Arrival], until: datetime, now: datetime) -> bool:
        """The sender may go on: take these again then, or as soon as he has written more. False,
        and nothing done, where an album follows already, which can't go on from them."""
        here = at(Address(arrivals[0].channel, arrivals[0].user))
        with self._database.write() as connection:
            connection.execute(HOLD, here)  # from here on all that was received is seen
            more = connection.execute(WAITING, here).all()[len(arrivals) :]
            if any(row.group not in {None, HELD_BACK} for row in more):
                return False
            values = {"group": HELD_BACK, "ready_at": now if more else until, "error": None}
            _let_go(connection, arrivals, **values)
        return True

    def set_aside(
        self,
        arrivals: Sequence[Arrival],
        error: str,
        now: datetime,
        *,
        replies: Sequence[Outgoing] = (),
    ) -> None:
        """It can never be read; staff find it by its state, and the sender is sent `replies`,
        unless another worker has saved it by now."""
        values = {"state": State.FAILED.value, "error": error, "done_at": now}
        with self._database.write() as connection:
            if _let_go(connection, arrivals, **values):
                writer = TurnWriter(self._database, connection, now)
                writer.write_replies(replies, cause=arrivals[0].id)

    def attempts(self, arrivals: Sequence[Arrival]) -> int:
        """How often these were postponed."""
        ids = [arrival.id for arrival in arrivals]
        query = select(func.max(messages.c.attempts)).where(messages.c.id.in_(ids))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one() or 0

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

    def forget_raw(self, before: datetime) -> None:
        """Drop the platform's form of what was read before then: it names people and places
        that the message itself does not."""
        settled = messages.c.state.in_([State.DONE.value, State.DROPPED.value])
        is_old = and_(settled, messages.c.raw.is_not(None), messages.c.done_at < before)
        with self._database.write() as connection:
            connection.execute(update(messages).where(is_old).values(raw=None))

    def history(self, address: Address, *, after: int = 0, limit: int = 100) -> tuple[Shown, ...]:
        """What this user wrote and was sent, in the order in which it was taken and delivered:
        the next `limit` lines after a cursor, or without one the last `limit` lines."""
        with self._database.read() as connection:
            return history.shown(connection, address, after=after, limit=limit)

    def waiting(self, address: Address) -> tuple[Arrival, ...]:
        """What this user wrote and no worker has taken yet."""
        with self._database.read() as connection:
            return tuple(map(arrival_of, connection.execute(WAITING, at(address))))

    def tally(self) -> dict[str, int]:
        """Incoming messages by state."""
        with self._database.read() as connection:
            return history.tally(connection, "in")


def _take(
    connection: Connection, turn: Turn, incoming: Incoming, now: datetime, *, is_decided: bool
) -> None:
    """The conversation's row first: `receive` locks in the same order."""
    memory = {"new_memory": codec.dump(turn.memory)}
    place = connection.execute(REMEMBER, {**at(incoming.sender), **memory}).scalar_one()
    done = {
        "message": incoming.id,
        "text": codec.dump(incoming),
        "filed_under": turn.filed_under,
        "summary": codec.summary(turn.decision) if is_decided else None,
        "place": place,
        "now": now,
    }
    if connection.execute(FINISH, done).rowcount == 0:
        raise _AlreadySaved


def _let_go(connection: Connection, arrivals: Sequence[Arrival], **values: Any) -> int:
    """How many of them were still to be taken."""
    here = at(Address(arrivals[0].channel, arrivals[0].user))
    connection.execute(UNCLAIM, here)
    marked = _mark(connection, arrivals, **values)
    connection.execute(FOLLOW, here)
    return marked


def _mark(connection: Connection, arrivals: Sequence[Arrival], **values: Any) -> int:
    are_these = and_(messages.c.id.in_([arrival.id for arrival in arrivals]), IS_NEW)
    return connection.execute(update(messages).where(are_these).values(**values)).rowcount
