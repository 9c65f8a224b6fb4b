"""Cases with their keys and contents, the journal, and facts of the site."""

import sqlalchemy as sa
from alembic import op

revision = "clinic_0001"
down_revision = None
branch_labels = ("clinic",)
depends_on = ("web_0001",)

CASE = "clinic_cases.id"
EXAMINATION = "clinic_examinations.id"
ONLY_ADDED = "entries of the journal are added and never changed"
# SQLite's INSERT OR REPLACE takes rows away without a trigger for it, so that one is refused when it comes.
APPEND_ONLY = {
    "sqlite": (
        f"""CREATE TRIGGER clinic_journal_changed BEFORE UPDATE ON clinic_journal
        BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED}'); END""",
        f"""CREATE TRIGGER clinic_journal_removed BEFORE DELETE ON clinic_journal
        BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED}'); END""",
        f"""CREATE TRIGGER clinic_journal_replaced BEFORE INSERT ON clinic_journal
        WHEN EXISTS (SELECT 1 FROM clinic_journal WHERE number = NEW.number OR hash = NEW.hash)
        BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED}'); END""",  # noqa: S608  it is our own sentence
    ),
    "postgresql": (
        f"""CREATE FUNCTION clinic_refuse() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''{ONLY_ADDED}''; END'""",
        """CREATE TRIGGER clinic_journal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON clinic_journal
        FOR EACH STATEMENT EXECUTE FUNCTION clinic_refuse()""",
    ),
}


def upgrade() -> None:
    """Make the tables; the journal's rows can be added, and nothing else."""
    op.create_table(
        "clinic_cases",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("erased_at", sa.Double, index=True),
    )
    op.create_table(
        "clinic_keys",
        sa.Column("case_id", sa.String(32), sa.ForeignKey(CASE), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "clinic_examinations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("case_id", sa.String(32), sa.ForeignKey(CASE), nullable=False, index=True),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("made_by", sa.String(32), nullable=False),
        sa.Column("asked_as", sa.String(64), unique=True),
        sa.Column("accession", sa.String(64), index=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("release_sha256", sa.String(64), nullable=False),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("device", sa.String(80)),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("gist", sa.LargeBinary),
    )
    op.create_table(
        "clinic_contents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("case_id", sa.String(32), sa.ForeignKey(CASE), nullable=False, index=True),
        sa.Column("examination_id", sa.String(32), sa.ForeignKey(EXAMINATION), index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "clinic_journal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False, index=True),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), index=True),
        sa.Column("examination_id", sa.String(32), index=True),
        sa.Column("open", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "clinic_state",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("clinic_history", "clinic_examinations", ["made_at", "id"])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Take them away; a table takes its triggers along."""
    for table in ("state", "journal", "contents", "examinations", "keys", "cases"):
        op.drop_table(f"clinic_{table}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION clinic_refuse()")
