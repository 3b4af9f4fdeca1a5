"""Records are found: a page at a time, the newest first, by any filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    func,
    intersect,
    literal,
    select,
    true,
)

from stopgap.journal.entry import Entry
from stopgap.journal.filters import Condition, Filters
from stopgap.journal.record import Record
from stopgap.journal.store.names import CALLER, SOURCE
from stopgap.journal.store.tables import ACTUALS, BLOCKS, FIELDS, RECORDS, SOURCES, TERMS
from stopgap.journal.terms import TIE_BITS, moment_of, number_of, word_number
from stopgap.storage.database import EPOCH, MICROSECOND

BLOCKS_MAX = 8
"""Blocks that are looked through at once: what they hold is sorted in some milliseconds."""

ROWS_A_BLOCK = 64
"""Records wanted for each further block that is looked through at once."""

POSITION_END = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A term that a record must have: in one of these fields, one of these values or a range."""

    fields: Sequence[int]
    values: Sequence[float] = ()
    low: float = 0
    high: float = 0

    def met(self, terms: FromClause) -> ColumnElement[bool]:
        """Say it of a table of terms."""
        value = terms.c.value
        there = _among(value, self.values) if self.values else value.between(self.low, self.high)
        return and_(_among(terms.c.field, self.fields), there)


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Positions from `low` to just below `high`."""

    low: int
    high: int

    def around(self, position: Any) -> ColumnElement[bool]:
        """Say that a position is in it."""
        return and_(position >= self.low, position < self.high)


class Glance(NamedTuple):
    """What charts show of a record."""

    position: int
    contract: str
    release: str
    output: str


def find(connection: Connection, record_id: str) -> Entry | None:
    """Find a record by its id."""
    row = connection.execute(ENTRIES.where(RECORDS.c.id == record_id)).one_or_none()
    return None if row is None else _entry(row)


def page(
    connection: Connection, filters: Filters, before: int | None, limit: int
) -> Sequence[Entry]:
    """Find the newest records that meet the filters and lie before a position."""
    return [_entry(row) for row in _newest_rows(connection, ENTRIES, filters, before, limit)]


def glances(connection: Connection, filters: Filters, limit: int) -> Sequence[Glance]:
    """Find the newest records that meet the filters, and tell of each what charts show."""
    return [Glance._make(row) for row in _newest_rows(connection, GLANCES, filters, None, limit)]


GLANCES: Select[Any] = select(
    RECORDS.c.position, SOURCES.c.contract, SOURCES.c.release, RECORDS.c.output
).join(SOURCES, SOURCES.c.id == RECORDS.c.source)


def _newest_rows(
    connection: Connection, rows: Select[Any], filters: Filters, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    span = _span(connection, filters, before)
    wanted = _wanted(connection, filters)
    if any(not each.fields for each in wanted):
        return []
    chosen = span.around(RECORDS.c.position)
    if len(wanted) == 1:
        newest = _newest if connection.dialect.name == "sqlite" else _newest_in_each
        found = connection.scalars(newest(wanted[0], span, limit)).all()
        chosen = RECORDS.c.position.in_(found)
    elif wanted:
        chosen = RECORDS.c.position.in_(_positions(connection, wanted, span, limit))
    newest_first = rows.where(chosen).order_by(RECORDS.c.position.desc()).limit(limit)
    return connection.execute(newest_first).all()


ENTRIES = (
    select(
        RECORDS,
        SOURCES.c.contract,
        SOURCES.c.fingerprint,
        SOURCES.c.release,
        ACTUALS.c.value.label("actual"),
    )
    .join(SOURCES, SOURCES.c.id == RECORDS.c.source)
    .outerjoin(ACTUALS, ACTUALS.c.position == RECORDS.c.position)
)


def _entry(row: Row[Any]) -> Entry:
    record = Record(
        id=row.id,
        at=moment_of(row.position),
        contract=row.contract,
        fingerprint=row.fingerprint,
        release=row.release,
        caller=row.caller,
        inputs=row.inputs.encode(),
        output=row.output.encode(),
        micros=row.micros,
    )
    actual = None if row.actual is None else row.actual.encode()
    return Entry(position=row.position, record=record, actual=actual)


def position_at(moment: datetime) -> int:
    """Tell the least position of a moment; far from the present there are none."""
    return min(max(0, (moment - EPOCH) // MICROSECOND << TIE_BITS), POSITION_END)


def _span(connection: Connection, filters: Filters, before: int | None) -> _Span:
    """Tell which positions are asked for: none before the oldest record, whom terms may outlive."""
    oldest = connection.scalar(select(func.min(RECORDS.c.position))) or 0
    since = 0 if filters.since is None else position_at(filters.since)
    until = POSITION_END if filters.until is None else position_at(filters.until)
    end = until if before is None else max(0, min(until, before))
    return _Span(low=max(oldest, since), high=end)


def _wanted(connection: Connection, filters: Filters) -> list[_Wanted]:
    wanted = [_condition(connection, filters, each) for each in filters.conditions]
    if filters.caller is not None:
        wanted.append(_Wanted(fields=[CALLER], values=[word_number(filters.caller)]))
    implied = filters.release is None and filters.conditions  # a field is of one contract
    if not implied and (filters.contract is not None or filters.release is not None):
        sources = connection.scalars(source_ids(filters.contract, filters.release)).all()
        wanted.append(_Wanted(fields=[SOURCE] if sources else [], values=sources))
    return wanted


def source_ids(contract: str | None, release: str | None) -> Select[int]:
    """Say which sources are of a contract, of a release, or of both."""
    named = {SOURCES.c.contract: contract, SOURCES.c.release: release}
    conditions = [column == name for column, name in named.items() if name is not None]
    return select(SOURCES.c.id).where(*conditions)


def releases(connection: Connection) -> Sequence[tuple[str, str]]:
    """List the contract and name of each release that records are of."""
    statement = select(SOURCES.c.contract, SOURCES.c.release).distinct()
    rows = connection.execute(statement.order_by(SOURCES.c.contract, SOURCES.c.release))
    return [(row.contract, row.release) for row in rows]


def fields(connection: Connection, contract: str | None) -> Sequence[tuple[str, str]]:
    """List the part and name of each field that records have had, of one contract or of all."""
    chosen = select(FIELDS.c.part, FIELDS.c.name).group_by(FIELDS.c.part, FIELDS.c.name)
    if contract is not None:
        chosen = chosen.where(FIELDS.c.contract == contract)
    inputs_first = chosen.order_by(FIELDS.c.part, func.min(FIELDS.c.id))
    return [(row.part, row.name) for row in connection.execute(inputs_first)]


def _condition(connection: Connection, filters: Filters, condition: Condition) -> _Wanted:
    fields = select(FIELDS.c.id).where(
        FIELDS.c.part == condition.part, FIELDS.c.name == condition.name
    )
    if filters.contract is not None:
        fields = fields.where(FIELDS.c.contract == filters.contract)
    low, high = number_of(condition.low), number_of(condition.high)
    if low is None or high is None:
        return _Wanted(fields=[])
    among = [low] if low == high else []
    return _Wanted(fields=connection.scalars(fields).all(), values=among, low=low, high=high)


def blocks_of(connection: Connection, caller: str) -> Sequence[int]:
    """Tell the blocks in which a caller has records."""
    wanted = _Wanted(fields=[CALLER], values=[word_number(caller)])
    everything = _Span(low=0, high=POSITION_END)
    return connection.scalars(_blocks([wanted], everything, limit=None)).all()


def _newest(wanted: _Wanted, span: _Span, limit: int) -> Select[int]:
    """Say which are the newest records that have one wanted term.

    SQLite walks the blocks, the newest first, sorts what it finds in each alone, and stops when it
    has enough. No index finds a block by a sum, so it cannot begin with the terms.
    """
    terms = TERMS.alias()
    here = terms.c.block == BLOCKS.c.block + 0, wanted.met(terms), span.around(terms.c.position)
    return (
        select(terms.c.position)
        .select_from(BLOCKS.join(terms, and_(*here)))
        .where(BLOCKS.c.first < span.high, BLOCKS.c.last >= span.low)
        .order_by(BLOCKS.c.first.desc(), terms.c.position.desc())
        .limit(limit)
    )


def _newest_in_each(wanted: _Wanted, span: _Span, limit: int) -> Select[int]:
    """Say the same so that PostgreSQL walks the blocks, too, whatever it knows of the tables.

    It can begin with nothing but the blocks, since what is asked of each has an end of its own. Of
    tables that had just been filled it knew nothing, and joined half a million terms with each.
    """
    within = BLOCKS.c.first < span.high, BLOCKS.c.last >= span.low
    walked = select(BLOCKS.c.block, BLOCKS.c.first).where(*within)
    blocks = walked.order_by(BLOCKS.c.first.desc()).subquery()
    terms = TERMS.alias()
    here = terms.c.block == blocks.c.block, wanted.met(terms), span.around(terms.c.position)
    newest = select(terms.c.position).where(*here).order_by(terms.c.position.desc())
    found = newest.limit(limit).lateral()
    return (
        select(found.c.position)
        .select_from(blocks.join(found, true()))
        .order_by(blocks.c.first.desc(), found.c.position.desc())
        .limit(limit)
    )


def _positions(
    connection: Connection, wanted: Sequence[_Wanted], span: _Span, limit: int
) -> list[int]:
    """Walk the blocks, the newest first, to the records that have every wanted term."""
    found: list[int] = []
    at_once = 1
    while len(found) < limit:
        blocks = connection.execute(_blocks(wanted, span, at_once)).all()
        if not blocks:
            break
        matches = _matches(wanted, [row.block for row in blocks], span, limit - len(found))
        found += connection.scalars(matches)
        if len(blocks) < at_once:
            break
        span = _Span(low=span.low, high=blocks[-1].first)
        at_once = min(2 * at_once, max(BLOCKS_MAX, limit // ROWS_A_BLOCK))
    return found


def _blocks(wanted: Sequence[_Wanted], span: _Span, limit: int | None) -> Select[int, int]:
    """Say which are the newest blocks that have something of all that is wanted."""
    chosen = select(BLOCKS.c.block, BLOCKS.c.first).where(
        BLOCKS.c.first < span.high, BLOCKS.c.last >= span.low
    )
    for each in wanted:
        terms = TERMS.alias()
        one = select(literal(1)).where(terms.c.block == BLOCKS.c.block, each.met(terms)).limit(1)
        chosen = chosen.where(one.correlate(BLOCKS).scalar_subquery().is_not(None))
    return chosen.order_by(BLOCKS.c.first.desc()).limit(limit)


def _matches(
    wanted: Sequence[_Wanted], blocks: Sequence[int], span: _Span, limit: int
) -> Select[int]:
    """Say which records of some blocks have all that is wanted, the newest first."""
    each_alone = []
    for each in wanted:
        terms = TERMS.alias()
        within = _among(terms.c.block, blocks), span.around(terms.c.position)
        each_alone.append(select(terms.c.position).where(each.met(terms), *within))
    together = intersect(*each_alone).subquery() if len(each_alone) > 1 else None
    chosen = each_alone[0] if together is None else select(together.c.position)
    return chosen.order_by(chosen.selected_columns[0].desc()).limit(limit)


def _among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Say that a column is one of some values; of one alone, so that the index keeps its order."""
    return column == values[0] if len(values) == 1 else column.in_(values)
