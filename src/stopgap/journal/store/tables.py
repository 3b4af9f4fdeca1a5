"""The journal's tables. Everything that may be asked for is found by an index, at any size.

A record's *position* is its moment in microseconds, followed by eleven bits that tell records of
one microsecond apart. So one integer is the key, the order and the cursor of a page.

Whatever can be looked for is a *term*, a number in a field: where the record comes from, who asked,
each input, each part of the output. Terms are an inverted index: a row, or *posting*, says that a
record has a term. They lie in *blocks* of consecutive records, so new ones are always written in
one place of the index, however many there are; and a question walks the blocks from the newest, a
seek in each, until it has what it needs. A field's ranges, in the order of time, can be had in no
other way: an index by value alone would have to be sorted by time first. Blocks are numbered in the
order of time, and old ones become fewer and larger.

There are no foreign keys: one process at a time writes here, and would pay for each with a look-up.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from stopgap.storage.columns import Moment
from stopgap.storage.columns import metadata as others

metadata = MetaData(naming_convention=others.naming_convention)

POSITION = BigInteger().with_variant(Integer(), "sqlite")
"""On SQLite this makes the position the row's own address."""


class Name(TypeDecorator[str]):
    """A text that anybody may ask for: one that no database can hold is not found, and no error."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: str | None, dialect: Dialect  # noqa: ARG002  # SQLAlchemy names it
    ) -> str | None:
        """Write a text without lone surrogates and zeros."""
        return value and value.encode(errors="replace").decode().replace("\0", "\ufffd")


RECORDS = Table(
    "journal_records",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=False),
    Column("id", Name, nullable=False, unique=True),
    Column("source", Integer, nullable=False),
    Column("caller", Text),
    Column("micros", BigInteger, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("output", Text, nullable=False),
)

ACTUALS = Table(
    "journal_actuals",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("reported_at", Moment, nullable=False),
)
"""What really came of it, as JSON; few records have one, and it comes late."""

FORGOTTEN = Table(
    "journal_forgotten",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("forgotten_at", Moment, nullable=False),
)
"""Callers whose answers are nobody's, those too that are still on their way here."""

SOURCES = Table(
    "journal_sources",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("contract", Name, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("release", Name, nullable=False),
    UniqueConstraint("contract", "fingerprint", "release"),
)

FIELDS = Table(
    "journal_fields",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("contract", Name, nullable=False),
    Column("part", String(10), nullable=False),  # `input` or `output`
    Column("name", Name, nullable=False),  # empty for an output that is no object
    UniqueConstraint("contract", "part", "name"),
)

BLOCKS = Table(
    "journal_blocks",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # its least position
    Column("last", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Index(None, "first"),
)

BLOCK_RECORDS = 8_192
"""Records after which a new block begins. In larger ones a page has to sort more, in smaller ones
a question that finds nothing has more blocks to walk."""

TERMS = Table(
    "journal_terms",
    metadata,
    Column("field", Integer, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("value", Double, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

COUNTS = Table(
    "journal_counts",
    metadata,
    Column("width", Integer, primary_key=True, autoincrement=False),  # seconds
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # seconds since 1970
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("answers", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Answers by the minute, hour and day."""

SPREADS = Table(
    "journal_spreads",
    metadata,
    Column("width", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("field", Integer, primary_key=True, autoincrement=False),
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("bin", BigInteger, primary_key=True, autoincrement=False),
    Column("word", Text),  # None: a number's bin
    Column("answers", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How outputs and durations are spread, by the hour and day."""

OFFSETS = Table(
    "journal_offsets",
    metadata,
    Column("spool", String(255), primary_key=True),
    Column("reached", BigInteger, nullable=False),
)
"""Bytes of each spool file that are in the tables above; and how long the clock is doubted."""
