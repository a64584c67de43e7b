"""The tables. A change here needs a new file in migrations/versions; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    bindparam,
    false,
    text,
)

from bot.domain import Address

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time as microseconds since 1970: exact, and the same on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        del dialect
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else EPOCH + value * MICROSECOND


# SQLite gives only an INTEGER PRIMARY KEY its numbers by itself.
Id = BigInteger().with_variant(Integer, "sqlite")

# The states that the queues are made of: literal text, so that both planners see that the
# partial indexes fit.
NEW = "state = 'new'"
ON_THE_WAY = "state IN ('pending', 'sending', 'doubtful')"
HELD = "state = 'held'"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(name: str, condition: str, *columns: str) -> Index:
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def is_at(table: Table) -> ColumnElement[bool]:
    """The rows of one address, given at execution by `at`. Statements that every message needs
    are built once: building one costs more than running it."""
    is_user = table.c.user == bindparam("at_user")
    return and_(table.c.channel == bindparam("at_channel"), is_user)


def at(address: Address) -> dict[str, str]:
    return {"at_channel": address.channel, "at_user": address.user}


conversations = Table(
    "conversations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("memory", Text),
    Column("ready_at", Instant),  # when its oldest new message may be taken; none: nothing waits
    Column("claimed_until", Instant),
    Column("last_seen", Instant),  # when the user last wrote
    Column("position", BigInteger, nullable=False, server_default="0"),  # lines shown so far
    UniqueConstraint("channel", "user"),
    _partial("ix_conversations_ready", "ready_at IS NOT NULL", "ready_at", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("direction", Text, nullable=False),  # in | out
    Column("channel", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("uid", Text),
    Column("group", Text),
    Column("raw", Text),
    Column("body", Text),  # Incoming once it was read, or Outgoing
    Column("position", BigInteger),  # place in the conversation once it was taken or sent
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ready_at", Instant, nullable=False),  # not before; of `sending`: the lease's end
    Column("is_doubtful", Boolean, nullable=False, server_default=false()),
    Column("is_noticed", Boolean, nullable=False, server_default=false()),
    Column("error", Text),
    Column("case_number", Integer),
    Column("cause", Id),  # the incoming message that led to this one
    Column("purpose", Text),
    Column("decision", Text),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    UniqueConstraint("channel", "uid"),
    _partial("ix_messages_new", NEW, "channel", "user", "id"),
    _partial("ix_messages_due", ON_THE_WAY, "channel", "id"),
    _partial("ix_messages_due_by_user", ON_THE_WAY, "channel", "user", "id"),
    _partial("ix_messages_held", HELD, "channel", "user"),
    _partial("ix_messages_shown", "position IS NOT NULL", "channel", "user", "position"),
    _partial("ix_messages_case", "case_number IS NOT NULL", "case_number", "id"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("receipt", Text, primary_key=True),
    Column("message", Id, ForeignKey("messages.id"), nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("holder", Text),
    Column("due_at", Instant),
    Column("channel", Text, nullable=False),  # the farmer's address
    Column("user", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "channel", "user"),
    Index(None, "is_open", "holder"),
    _partial("ix_cases_due", "due_at IS NOT NULL", "due_at"),
)

case_people = Table(
    "case_people",
    metadata,
    Column("commissioner", Text, primary_key=True),
    Column("case_number", Integer, ForeignKey("cases.number"), primary_key=True),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("case_number", Integer, ForeignKey("cases.number"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index(None, "case_number"),
)

bindings = Table(
    "bindings",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("commissioner", Text, nullable=False),
    Column("bound_at", Instant, nullable=False),
)

assignments = Table(  # 定点联系: no part of `conversations`, whose rows their own turns lock
    "assignments",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("commissioner", Text, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code_hash", Text, primary_key=True),
    Column("commissioner", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
)

windows = Table(  # what a user of a platform that bounds what we say has seen; see windows.py
    "windows",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("left", Integer, nullable=False, server_default="0"),  # messages that may be pushed
    Column("until", Instant),  # and how long
)

calls = Table(  # requests of such a platform that bring a message and may carry an answer back
    "calls",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("fetches", Boolean, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("reply", Text),  # none: not answered yet
    Index(None, "channel", "user", "last_at"),
)

media = Table(
    "media",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mime", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

media_uses = Table(  # in whose conversation and in which case (0: none) a picture stands
    "media_uses",
    metadata,
    Column("media", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("case_number", Integer, primary_key=True, autoincrement=False),
)

ledger = Table(  # append-only; see bot/store/ledger.py
    "ledger",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("deed", Text, nullable=False),
    Column("commissioner", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("case_number", Integer),
    Column("about", Integer),
    Column("message", Id),  # the outgoing message that was the service
    Column("proof", Text, nullable=False),
    Column("seal", Text, nullable=False),
    UniqueConstraint("message"),
    Index(None, "commissioner", "at"),
    Index(None, "deed", "commissioner", "at"),
    Index(None, "about"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
