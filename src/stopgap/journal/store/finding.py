"""Records are found: a page at a time, the newest first, by any filter."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from stopgap.journal.entry import Entry
from stopgap.journal.filters import Filters
from stopgap.journal.record import Record
from stopgap.journal.store.postings import blocks_with
from stopgap.journal.store.predicates import PositionRange, of_caller, predicates_of
from stopgap.journal.store.tables import ACTUALS, FIELDS, RECORDS, SOURCES
from stopgap.journal.store.walking import positions
from stopgap.journal.terms import POSITION_END, TIE_BITS, moment_of
from stopgap.storage.columns import EPOCH, MICROSECOND

PAGE_GROWTH_MAX = 2_000
"""Records that are fetched at once at most, where few of those before were what was asked for; but
for a whole page."""

READ_AT_ONCE = 1_000
"""Records that are fetched at a time, at most, where it matters how long they are. The first time
they are 5, then five times as many each time: of long ones few are in memory, and for short ones a
server on another machine is asked six times for 2,000, not a hundred."""

STREAMED = {"stream_results": True, "max_row_buffer": READ_AT_ONCE}
"""How SQLAlchemy is told so; SQLite hands out one after the other in any case."""


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
    connection: Connection,
    filters: Filters,
    before: int | None,
    limit: int,
    *,
    room: float = inf,
) -> Sequence[Entry]:
    """Find the newest records that meet the filters and lie before a position.

    Args:
        limit: Records at most.
        room: Characters of inputs and outputs after which there is no other record.
    """
    found = []
    rows = ENTRIES if room == inf else ENTRIES.execution_options(**STREAMED)
    with closing(_newest_rows(connection, rows, filters, before, limit)) as newest:
        for row in newest:
            found.append(_entry(row))
            room -= len(row.inputs) + len(row.output)
            if room <= 0:
                break
    return found


def glances(connection: Connection, filters: Filters, limit: int) -> Sequence[Glance]:
    """Find the newest records that meet the filters, and tell of each what charts show."""
    return [Glance._make(row) for row in _newest_rows(connection, GLANCES, filters, None, limit)]


GLANCES: Select[Any] = select(
    RECORDS.c.position, SOURCES.c.contract, SOURCES.c.release, RECORDS.c.output
).join(SOURCES, SOURCES.c.id == RECORDS.c.source)


def _newest_rows(
    connection: Connection, rows: Select[Any], filters: Filters, before: int | None, limit: int
) -> Generator[Row[Any]]:
    span = _span(connection, filters, before)
    predicates = predicates_of(connection, filters)
    if any(not each.fields for each in predicates):
        return
    newest_first = rows.order_by(RECORDS.c.position.desc())
    if not predicates:
        all_there = newest_first.where(span.around(RECORDS.c.position))
        with connection.execute(all_there.limit(limit)) as fetched:
            yield from fetched
        return
    ambiguous = [each for each in predicates if each.ambiguous]
    size = left = limit
    while True:
        chosen = positions(connection, predicates, span, size)
        with connection.execute(newest_first.where(RECORDS.c.position.in_(chosen))) as fetched:
            held = (row for row in fetched if all(each.holds(row) for each in ambiguous))
            for row in islice(held, left):
                left -= 1
                yield row
        if not left or len(chosen) < size:
            return
        span = replace(span, high=chosen[-1])  # some were deleted, or of another type
        size = max(limit, min(2 * size, PAGE_GROWTH_MAX))


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


def _span(connection: Connection, filters: Filters, before: int | None) -> PositionRange:
    """Tell which positions are asked for: none before the oldest record, whom terms may outlive."""
    oldest = connection.scalar(select(func.min(RECORDS.c.position))) or 0
    since = 0 if filters.since is None else position_at(filters.since)
    until = POSITION_END if filters.until is None else position_at(filters.until)
    end = until if before is None else max(0, min(until, before))
    return PositionRange(low=max(oldest, since), high=end)


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


def blocks_of(connection: Connection, caller: str) -> Sequence[int]:
    """Tell the blocks in which a caller has records."""
    return connection.scalars(blocks_with(of_caller(caller))).all()
