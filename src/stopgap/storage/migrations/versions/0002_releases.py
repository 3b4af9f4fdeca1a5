"""Releases: how they stand, what was done to them, how they were verified and how they do."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "releases",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("specification", sa.Text, nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("percent", sa.Double, nullable=False),
        sa.Column("sticky", sa.String(10), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract", "number", name="pk_releases"),
    )
    op.create_table(
        "release_standings",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("stand_in_fallback", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("contract", name="pk_release_standings"),
    )
    _create_moves()
    _create_reports()
    _create_tallies()
    _create_comparisons()


def _create_moves() -> None:
    op.create_table(
        "release_moves",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("was", sa.String(10)),
        sa.Column("now", sa.String(10)),
        sa.Column("percent", sa.Double, nullable=False),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract", "version", "number", name="pk_release_moves"),
    )


def _create_reports() -> None:
    op.create_table(
        "release_reports",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract", "number", "version", name="pk_release_reports"),
    )


def _create_tallies() -> None:
    outcomes = ("ok", "raised", "late", "died", "unavailable", "breach")
    op.create_table(
        "release_tallies",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        *(sa.Column(outcome, sa.BigInteger, nullable=False) for outcome in outcomes),
        sa.Column("durations", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract", "at", "number", "worker", name="pk_release_tallies"),
    )


def _create_comparisons() -> None:
    op.create_table(
        "release_comparisons",
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("against", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("comparison", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "contract", "number", "against", "worker", name="pk_release_comparisons"
        ),
    )
