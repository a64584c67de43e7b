"""Outgoing messages, from the turn that made them until the platform took them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    update,
)

from bot.domain import Address, Outgoing, Receipt
from bot.store import codec
from bot.store.inbox import tally
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

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from bot.store.database import Database

IS_ON_THE_WAY = text(f"messages.{ON_THE_WAY}")


class Outbox:
    """The way out. To one address messages go in order; only a held one lets others pass."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(
        self, channel: str, now: datetime, *, lease: timedelta, skip: Collection[str] = ()
    ) -> Due | None:
        """The next message of this channel, leased: `sent`, `retry`, `hold`, `reject` or `doubt`
        must follow before the lease ends, otherwise it counts as doubtful. Users in `skip` (who
        had enough messages for the moment) are passed over."""
        is_doubtful = or_(messages.c.is_doubtful, messages.c.state == State.SENDING.value)
        next_one = (
            _heads(select(messages.c.id), channel, skip)
            .where(messages.c.ready_at <= now)
            .order_by(messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        leased = (
            update(messages)
            .where(messages.c.id == next_one.scalar_subquery())
            .values(
                state=State.SENDING.value,
                ready_at=now + lease,
                attempts=messages.c.attempts + 1,
                is_doubtful=is_doubtful,
            )
            .returning(messages)
        )
        with self._database.write() as connection:
            row = connection.execute(leased).one_or_none()
        if row is None:
            return None
        outgoing = codec.outgoing(row.body, to=Address(row.channel, row.user))
        return Due(row.id, outgoing, row.attempts, row.is_doubtful)

    def next_at(self, channel: str, *, skip: Collection[str] = ()) -> datetime | None:
        """When `due` will have something, unless more is written."""
        query = _heads(select(func.min(messages.c.ready_at)), channel, skip)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def sent(self, message: int, receipt: Receipt, now: datetime) -> None:
        """The platform took it: it gets its place in the conversation."""
        with self._database.write() as connection:
            address, place = self._next_place(connection, message)
            done = {"state": State.SENT.value, "position": place, "done_at": now, "error": None}
            is_this = messages.c.id == message
            connection.execute(update(messages).where(is_this).values(**done))
            self._keep_receipts(connection, message, address, receipt)

    def _next_place(self, connection: Connection, message: int) -> tuple[Address, int]:
        one = literal(1).label("position")
        to = select(messages.c.channel, messages.c.user, one).where(messages.c.id == message)
        row = connection.execute(
            self._database.insert(conversations)
            .from_select(["channel", "user", "position"], to)
            .on_conflict_do_update(
                index_elements=["channel", "user"],
                set_={"position": conversations.c.position + 1},
            )
            .returning(conversations.c.channel, conversations.c.user, conversations.c.position)
        ).one()
        return Address(row.channel, row.user), row.position

    def _keep_receipts(
        self, connection: Connection, message: int, to: Address, receipt: Receipt
    ) -> None:
        rows = [
            {"channel": to.channel, "user": to.user, "receipt": one, "message": message}
            for one in dict.fromkeys(receipt.ids)
        ]
        if rows:
            known = self._database.insert(receipts).on_conflict_do_update(
                index_elements=["channel", "user", "receipt"], set_={"message": message}
            )
            connection.execute(known, rows)

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
        return tally(self._database, "out")


def _heads(query: Select[Any], channel: str, skip: Collection[str]) -> Select[Any]:
    """Each address' oldest message on the way."""
    older = messages.alias("older")
    is_behind = exists().where(
        older.c.channel == messages.c.channel,
        older.c.user == messages.c.user,
        text(f"older.{ON_THE_WAY}"),
        older.c.id < messages.c.id,
    )
    heads = query.where(messages.c.channel == channel, IS_ON_THE_WAY, ~is_behind)
    return heads.where(messages.c.user.not_in(list(skip))) if skip else heads


def _is_sending(message: int) -> ColumnElement[bool]:
    """A mark that comes after the lease was over and another process settled it is ignored."""
    return and_(messages.c.id == message, messages.c.state == State.SENDING.value)
