"""Windows and calls. What each column is for stands in bot/store/tables.py."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "windows",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("channel", "user")),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("left", sa.Integer, nullable=False, server_default="0"),
        sa.Column("until", sa.BigInteger),
    )
    op.create_table(
        "calls",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("channel", "uid")),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("fetches", sa.Boolean, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("reply", sa.Text),
    )
    op.create_index("ix_calls_channel_user_last_at", "calls", ["channel", "user", "last_at"])
