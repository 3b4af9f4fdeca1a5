"""Callers who are to be forgotten, though answers of theirs may still wait in a spool."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "journal_forgotten",
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("forgotten_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("caller", name="pk_journal_forgotten"),
    )
