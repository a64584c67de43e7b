"""Which farmer has a commissioner of his own. See bot/store/tables.py."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "assignments",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("channel", "user")),
        sa.Column("commissioner", sa.Text, nullable=False),
    )
