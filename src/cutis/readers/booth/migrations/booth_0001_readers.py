"""Readers, answers, and how many left."""

import sqlalchemy as sa
from alembic import op

revision = "booth_0001"
down_revision = None
branch_labels = ("booth",)
depends_on = ("web_0001",)

ACCOUNT = "accounts.id"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "booth_readers",
        sa.Column("account_id", sa.String(32), sa.ForeignKey(ACCOUNT, ondelete="CASCADE"), primary_key=True),
        sa.Column("reader_id", sa.String(16), nullable=False, unique=True),
        sa.Column("place", sa.String(80), nullable=False, unique=True),
        sa.Column("label", sa.String(120), nullable=False, unique=True),
        sa.Column("picture_key", sa.String(64), nullable=False),
        sa.Column("invited_at", sa.Double, nullable=False),
        sa.Column("consented_at", sa.Double),
        sa.Column("consent_sha256", sa.String(64)),
        sa.Column("years", sa.Integer),
        sa.Column("training", sa.String(20)),
        sa.Column("dermoscopy", sa.String(20)),
    )
    op.create_table(
        "booth_answers",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("answer_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), sa.ForeignKey(ACCOUNT, ondelete="CASCADE"), nullable=False),
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("case_id", sa.String(200), nullable=False),
        sa.Column("occasion", sa.Integer, nullable=False),
        sa.Column("arm", sa.String(10), nullable=False),
        sa.Column("diagnosis", sa.String(80), nullable=False),
        sa.Column("further", sa.JSON, nullable=False),
        sa.Column("management", sa.String(20)),
        sa.Column("confidence", sa.Double),
        sa.Column("ratings", sa.JSON),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("answered_at", sa.Double, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("protocol_sha256", sa.String(64), nullable=False),
        sa.UniqueConstraint("account_id", "session", "position"),
        sa.UniqueConstraint("account_id", "answer_id"),
    )
    op.create_table(
        "booth_leavers",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("had_begun", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("booth_leavers", "booth_answers", "booth_readers"):
        op.drop_table(table)
