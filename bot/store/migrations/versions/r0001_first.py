"""The first tables. What each column is for stands in bot/store/tables.py."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _conversations()
    _messages()
    _indexes_of_messages()
    _cases()
    _accounts()
    _media()
    numbers = op.create_table("numbers", _key("name"), _int("value"))
    op.create_table("notes", _key("key"), _text("value"))
    op.bulk_insert(numbers, [{"name": "case", "value": 0}])


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", Id, primary_key=True),
        _text("channel"),
        _text("user"),
        _text("memory", nullable=True),
        _time("ready_at", nullable=True),
        _time("claimed_until", nullable=True),
        _time("last_seen", nullable=True),
        sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
        sa.UniqueConstraint("channel", "user", name="uq_conversations_channel_user"),
    )
    _partial_index(
        "ix_conversations_ready", "conversations", ["ready_at", "id"], "ready_at IS NOT NULL"
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", Id, primary_key=True),
        _text("direction"),
        _text("channel"),
        _text("user"),
        _text("state"),
        _text("uid", nullable=True),
        _text("group", nullable=True),
        _text("raw", nullable=True),
        _text("body", nullable=True),
        sa.Column("position", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _time("ready_at"),
        sa.Column("is_doubtful", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("is_noticed", sa.Boolean, nullable=False, server_default=sa.false()),
        _text("error", nullable=True),
        _int("case_number", nullable=True),
        sa.Column("cause", Id),
        _text("purpose", nullable=True),
        _text("decision", nullable=True),
        _time("created_at"),
        _time("done_at", nullable=True),
        sa.UniqueConstraint("channel", "uid", name="uq_messages_channel_uid"),
    )
    op.create_table(
        "receipts",
        *(_key(name) for name in ("channel", "user", "receipt")),
        sa.Column("message", Id, _belongs_to("messages.id", "fk_receipts_message"), nullable=False),
    )


def _indexes_of_messages() -> None:
    on_the_way = "state IN ('pending', 'sending', 'doubtful')"
    for name, columns, condition in (
        ("new", ["channel", "user", "id"], "state = 'new'"),
        ("due", ["channel", "id"], on_the_way),
        ("due_by_user", ["channel", "user", "id"], on_the_way),
        ("held", ["channel", "user"], "state = 'held'"),
        ("shown", ["channel", "user", "position"], "position IS NOT NULL"),
        ("case", ["case_number", "id"], "case_number IS NOT NULL"),
    ):
        _partial_index(f"ix_messages_{name}", "messages", columns, condition)


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _int("version"),
        _text("state"),
        sa.Column("is_open", sa.Boolean, nullable=False),
        _text("holder", nullable=True),
        _time("due_at", nullable=True),
        _text("channel"),
        _text("user"),
        _time("changed_at"),
        _text("body"),
    )
    op.create_index("ix_cases_channel_user", "cases", ["channel", "user"])
    op.create_index("ix_cases_is_open_holder", "cases", ["is_open", "holder"])
    _partial_index("ix_cases_due", "cases", ["due_at"], "due_at IS NOT NULL")
    case = _belongs_to("cases.number", "fk_case_people_case_number")
    number = sa.Column("case_number", sa.Integer, case, primary_key=True)
    op.create_table("case_people", _key("commissioner"), number)
    case = _belongs_to("cases.number", "fk_case_events_case_number")
    op.create_table(
        "case_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("case_number", sa.Integer, case, nullable=False),
        _time("at"),
        *(_text(name) for name in ("by", "what", "note")),
    )
    op.create_index("ix_case_events_case_number", "case_events", ["case_number"])


def _accounts() -> None:
    op.create_table(
        "bindings", _key("channel"), _key("user"), _text("commissioner"), _time("bound_at")
    )
    op.create_table(
        "invitations",
        _key("code_hash"),
        _text("commissioner"),
        _time("expires_at"),
        _time("used_at", nullable=True),
    )
    op.create_table(
        "sessions",
        _key("token_hash"),
        *(_text(name) for name in ("kind", "user", "csrf")),
        *(_time(name) for name in ("created_at", "last_seen")),
    )


def _media() -> None:
    content = sa.Column("content", sa.LargeBinary, nullable=False)
    op.create_table("media", _key("id"), _text("mime"), content, _time("created_at"))
    op.create_table(
        "media_uses",
        *(_key(name) for name in ("media", "channel", "user")),
        sa.Column("case_number", sa.Integer, primary_key=True, autoincrement=False),
    )


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _belongs_to(column: str, name: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, name=name)


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
