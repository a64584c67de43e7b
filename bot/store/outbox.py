"""Outgoing messages, from the turn that made them until the platform took them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)

from bot.domain import Address, Outgoing, Receipt
from bot.store import codec, history, ledger, notes
from bot.store.database import Database
from bot.store.records import Due, State, Undelivered
from bot.store.tables import (
    HELD,
    ON_THE_WAY,
    bindings,
    conversations,
    messages,
    receipts,
)
from bot.store.turns import TurnWriter

IS_ON_THE_WAY = text(f"messages.{ON_THE_WAY}")


_older = messages.alias("older")
# A scalar subquery, because PostgreSQL makes NOT EXISTS a join of the whole backlog with itself;
# + 0, because it would walk the backlog by id rather than look the user up.
_is_first = messages.c.id == (
    select(func.min(_older.c.id + literal_column("0")))
    .where(
        _older.c.channel == messages.c.channel,
        _older.c.user == messages.c.user,
        text(f"older.{ON_THE_WAY}"),
    )
    .scalar_subquery()
)
_is_head = and_(
    messages.c.channel == bindparam("at_channel"),
    IS_ON_THE_WAY,
    messages.c.user.not_in(bindparam("skip", expanding=True)),
    _is_first,
)
_next_message = (
    select(messages.c.id)
    .where(_is_head, messages.c.ready_at <= bindparam("now"))
    .order_by(messages.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
LEASE = (
    update(messages)
    .where(messages.c.id == _next_message.scalar_subquery())
    .values(
        state=State.SENDING.value,
        ready_at=bindparam("until"),
        attempts=messages.c.attempts + 1,
        is_doubtful=or_(messages.c.is_doubtful, messages.c.state == State.SENDING.value),
    )
    .returning(
        messages.c.id,
        messages.c.channel,
        messages.c.user,
        messages.c.body,
        messages.c.attempts,
        messages.c.is_doubtful,
    )
)
NEXT_AT = select(func.min(messages.c.ready_at)).where(_is_head)
TO = select(messages.c.channel, messages.c.user, literal(1).label("position")).where(
    messages.c.id == bindparam("message")
)
SENT = (
    update(messages)
    .where(messages.c.id == bindparam("message"))
    .values(
        state=State.SENT.value,
        position=bindparam("place"),
        done_at=bindparam("now"),
        error=None,
    )
    .returning(messages.c.purpose, messages.c.body)
)


class Outbox:
    """The way out. To one address messages go in order; only a held one lets others pass."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_place = (
            database.insert(conversations)
            .from_select(["channel", "user", "position"], TO)
            .on_conflict_do_update(
                index_elements=["channel", "user"],
                set_={"position": conversations.c.position + 1},
            )
            .returning(conversations.c.channel, conversations.c.user, conversations.c.position)
        )
        keep = database.insert(receipts)
        self._keep_receipt = keep.on_conflict_do_update(
            index_elements=["channel", "user", "receipt"],
            set_={"message": keep.excluded.message},
        )

    def due(
        self, channel: str, now: datetime, *, lease: timedelta, skip: Collection[str] = ()
    ) -> Due | None:
        """The next message of this channel, leased: `sent`, `retry`, `hold`, `reject` or `doubt`
        must follow before the lease ends, otherwise it counts as doubtful. Users in `skip` (who
        had enough messages for the moment) are passed over."""
        values = {"at_channel": channel, "skip": list(skip), "now": now, "until": now + lease}
        with self._database.write() as connection:
            row = connection.execute(LEASE, values).one_or_none()
        if row is None:
            return None
        outgoing = codec.outgoing(row.body, to=Address(row.channel, row.user))
        return Due(row.id, outgoing, row.attempts, row.is_doubtful)

    def next_at(self, channel: str, *, skip: Collection[str] = ()) -> datetime | None:
        """When `due` will have something, unless more is written."""
        values = {"at_channel": channel, "skip": list(skip)}
        with self._database.read() as connection:
            return connection.execute(NEXT_AT, values).scalar_one_or_none()

    def sent(self, message: int, receipt: Receipt, now: datetime) -> None:
        """The platform took it: it gets its place in the conversation, and where it was a
        commissioner's answer its line in the ledger."""
        with self._database.write() as connection:
            self.mark_sent(connection, message, receipt, now)

    def mark_sent(
        self, connection: Connection, message: int, receipt: Receipt, now: datetime
    ) -> None:
        """`sent`, inside a transaction."""
        place = connection.execute(self._next_place, {"message": message}).one()
        done = {"message": message, "place": place.position, "now": now}
        row = connection.execute(SENT, done).one()
        if row.purpose == "relay":
            to = Address(place.channel, place.user)
            ledger.append_service(connection, message, codec.outgoing(row.body, to=to), now)
        user = {"channel": place.channel, "user": place.user, "message": message}
        if rows := [{**user, "receipt": one} for one in dict.fromkeys(receipt.ids)]:
            connection.execute(self._keep_receipt, rows)

    def retry(self, message: int, at: datetime, error: str) -> None:
        """It was not sent; again at `at`."""
        self._mark(message, state=State.PENDING.value, ready_at=at, error=error)

    def doubt(self, message: int, at: datetime, error: str) -> None:
        """It may have arrived; due once more at `at`, as doubtful."""
        doubtful = {"state": State.DOUBTFUL.value, "is_doubtful": True}
        self._mark(message, **doubtful, ready_at=at, error=error)

    def hold(
        self, message: int, error: str, now: datetime, *, notices: Sequence[Outgoing] = ()
    ) -> None:
        """Keep it until the user writes again. `notices` are written with it, at most once for a
        message however often it is held."""
        self._give_up(message, State.HELD, error, now, notices)

    def reject(
        self, message: int, error: str, now: datetime, *, notices: Sequence[Outgoing] = ()
    ) -> None:
        """The platform will never take it."""
        self._give_up(message, State.DEAD, error, now, notices)

    def _give_up(
        self,
        message: int,
        state: State,
        error: str,
        now: datetime,
        notices: Sequence[Outgoing],
    ) -> None:
        values = {"state": state.value, "error": error, "ready_at": now}
        is_first = and_(messages.c.id == message, messages.c.is_noticed == false())
        with self._database.write() as connection:
            connection.execute(update(messages).where(_is_sending(message)).values(**values))
            if not notices:
                return
            noticed = update(messages).where(is_first).values(is_noticed=true())
            if connection.execute(noticed).rowcount:
                TurnWriter(self._database, connection, now).write_replies(notices, cause=message)

    def _mark(self, message: int, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(messages).where(_is_sending(message)).values(**values))

    def moved(self, channel: str, old_user: str, new_user: str) -> None:
        """The chat has a new address: whatever is not sent yet, and the commissioner bound to
        it, go along. Give the message in hand back with `retry` first."""
        unsent = or_(IS_ON_THE_WAY, text(f"messages.{HELD}"))
        is_old = and_(messages.c.channel == channel, messages.c.user == old_user)
        with self._database.write() as connection:
            connection.execute(update(messages).where(is_old, unsent).values(user=new_user))
            self._move_binding(connection, channel, old_user, new_user)

    @staticmethod
    def _move_binding(connection: Connection, channel: str, old_user: str, new_user: str) -> None:
        is_here = bindings.c.channel == channel
        is_taken = exists().where(is_here, bindings.c.user == new_user).correlate(None)
        if not connection.execute(select(is_taken)).scalar_one():
            is_old = and_(is_here, bindings.c.user == old_user)
            connection.execute(update(bindings).where(is_old).values(user=new_user))

    def post(self, outgoing: Sequence[Outgoing], now: datetime) -> None:
        """Messages that follow from no turn, such as a notice from the command line."""
        with self._database.write() as connection:
            TurnWriter(self._database, connection, now).write_replies(outgoing, cause=None)

    def post_once(
        self,
        outgoing: Sequence[Outgoing],
        now: datetime,
        *,
        note: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
    ) -> bool:
        """`post`, and turn the note of that key from `before` to `after`, both or neither; False
        where it reads otherwise by now, since another process was faster."""
        with self._database.write() as connection:
            if not notes.replace(self._database, connection, note, before, after):
                return False
            TurnWriter(self._database, connection, now).write_replies(outgoing, cause=None)
            return True

    def undelivered(self, case: int) -> tuple[Undelivered, ...]:
        """Relays of a case that were given up or wait for the user, for the desk's 未送达."""
        lost = messages.c.state.in_([State.HELD.value, State.DEAD.value])
        is_relay = and_(messages.c.case_number == case, messages.c.purpose == "relay")
        query = select(messages).where(is_relay, messages.c.direction == "out", lost)
        with self._database.read() as connection:
            return tuple(
                Undelivered(
                    row.id,
                    codec.outgoing(row.body, to=Address(row.channel, row.user)),
                    State(row.state),
                    row.error or "",
                )
                for row in connection.execute(query.order_by(messages.c.id))
            )

    def tally(self) -> dict[str, int]:
        """Outgoing messages by state."""
        with self._database.read() as connection:
            return history.tally(connection, "out")


def _is_sending(message: int) -> ColumnElement[bool]:
    """A mark that comes after the lease was over and another process settled it is ignored."""
    return and_(messages.c.id == message, messages.c.state == State.SENDING.value)
