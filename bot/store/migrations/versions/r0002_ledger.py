"""The yearly ledger. What each column is for stands in bot/store/tables.py."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("deed", "commissioner", "by")),
        *(sa.Column(name, sa.Integer) for name in ("case_number", "about")),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("proof", "seal")),
        sa.UniqueConstraint("message", name="uq_ledger_message"),
    )
    op.create_index("ix_ledger_commissioner_at", "ledger", ["commissioner", "at"])
    op.create_index("ix_ledger_deed_commissioner_at", "ledger", ["deed", "commissioner", "at"])
    op.create_index("ix_ledger_about", "ledger", ["about"])
    numbers = sa.table("numbers", sa.column("name", sa.Text), sa.column("value", sa.Integer))
    op.bulk_insert(numbers, [{"name": "ledger", "value": 0}])
