"""Records with their terms and counts; how far each spool has been read."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    _create_records()
    _create_names()
    _create_terms()
    _create_counts()
    op.create_table(
        "journal_offsets",
        sa.Column("spool", sa.String(255), nullable=False),
        sa.Column("reached", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("spool", name="pk_journal_offsets"),
    )


def _create_records() -> None:
    op.create_table(
        "journal_records",
        sa.Column("position", POSITION, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("source", sa.Integer, nullable=False),
        sa.Column("caller", sa.Text),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("output", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_journal_records"),
        sa.UniqueConstraint("id", name="uq_journal_records_id"),
    )
    op.create_table(
        "journal_actuals",
        sa.Column("position", POSITION, nullable=False, autoincrement=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_journal_actuals"),
    )


def _create_names() -> None:
    op.create_table(
        "journal_sources",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_sources"),
        sa.UniqueConstraint(
            "contract",
            "fingerprint",
            "release",
            name="uq_journal_sources_contract_fingerprint_release",
        ),
    )
    op.create_table(
        "journal_fields",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("part", sa.String(10), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_fields"),
        sa.UniqueConstraint(
            "contract", "part", "name", name="uq_journal_fields_contract_part_name"
        ),
    )


def _create_terms() -> None:
    op.create_table(
        "journal_blocks",
        sa.Column("block", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_journal_blocks"),
    )
    op.create_index("ix_journal_blocks_first", "journal_blocks", ["first"])
    op.create_table(
        "journal_terms",
        sa.Column("field", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("block", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("field", "block", "value", "position", name="pk_journal_terms"),
        sqlite_with_rowid=False,
    )


def _create_counts() -> None:
    op.create_table(
        "journal_counts",
        sa.Column("width", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("source", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("width", "start", "source", name="pk_journal_counts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal_spreads",
        sa.Column("width", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("field", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("source", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("bin", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("word", sa.Text),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "width", "start", "field", "source", "bin", name="pk_journal_spreads"
        ),
        sqlite_with_rowid=False,
    )
