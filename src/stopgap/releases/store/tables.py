"""The tables of releases: how they stand, what was done to them, and how they do."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Integer, String, Table, Text

from stopgap.releases.tally import OUTCOMES
from stopgap.storage.columns import Moment, metadata

RELEASES = Table(
    "releases",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(16), nullable=False),
    Column("specification", Text, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("percent", Double, nullable=False),
    Column("sticky", String(10), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

STANDINGS = Table(
    "release_standings",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("before", Text, nullable=False),  # who was live before, as JSON
    Column("stand_in_fallback", Boolean, nullable=False),
)

MOVES = Table(
    "release_moves",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", String(20), nullable=False),
    Column("was", String(10)),
    Column("now", String(10)),
    Column("percent", Double, nullable=False),
    Column("rule", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("figures", JSON(none_as_null=True)),
)

REPORTS = Table(
    "release_reports",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("report", Text, nullable=False),
)

TALLIES = Table(
    "release_tallies",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("at", Moment, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(64), primary_key=True),
    *(Column(outcome, BigInteger, nullable=False) for outcome in OUTCOMES),
    Column("durations", Text, nullable=False),
)
"""Each worker adds rows of its own, so none waits for another."""

COMPARISONS = Table(
    "release_comparisons",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("against", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(64), primary_key=True),
    Column("comparison", Text, nullable=False),
)

TROUBLES = Table(
    "release_troubles",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
)
"""What each worker cannot ask now; it writes its own rows anew each second."""
