"""Accounts, personal links, sessions, failed sign-ins."""

import sqlalchemy as sa
from alembic import op

revision = "web_0001"
down_revision = None
branch_labels = ("web",)
depends_on = None

ACCOUNT = "accounts.id"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(80), unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(200)),
        sa.Column("language", sa.String(16)),
        sa.Column("made_at", sa.Double, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey(ACCOUNT, ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("once", sa.Boolean, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey(ACCOUNT, ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
    )
    op.create_table(
        "failures",
        sa.Column("of", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("failures", "sessions", "links", "accounts"):
        op.drop_table(table)
