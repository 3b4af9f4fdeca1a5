"""Records are completed, made anonymous and deleted: in short steps, between which others write."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, tuple_, update

from stopgap.journal.store.finding import position_at
from stopgap.journal.store.names import CALLER, field_numbers
from stopgap.journal.store.rollups import DAY, HOUR, MINUTE
from stopgap.journal.store.rows import lock
from stopgap.journal.store.tables import (
    ACTUALS,
    BLOCKS,
    COUNTS,
    FORGOTTEN,
    OFFSETS,
    RECORDS,
    SPREADS,
    TERMS,
)
from stopgap.journal.store.writing import offset, set_offset
from stopgap.journal.terms import TIE_BITS, word_number
from stopgap.storage.columns import MICROSECOND

DOUBT_PREFIX = "doubt:"
"""How the name begins under which is kept, among the offsets, for how long a silence is doubted. So
no spool's file is named, and a restart, with or without the same disk, begins no doubt anew."""


class Silence(NamedTuple):
    """A time in which nothing was recorded."""

    last: int  # the position before it
    length: timedelta


def report_actual(connection: Connection, record_id: str, value: str, now: datetime) -> bool:
    """Keep what really came of a record, as JSON; tell whether there is such a record."""
    lock(connection)
    position = connection.scalar(select(RECORDS.c.position).where(RECORDS.c.id == record_id))
    if position is None:
        return False
    connection.execute(delete(ACTUALS).where(ACTUALS.c.position == position))
    row = {"position": position, "value": value, "reported_at": now}
    connection.execute(ACTUALS.insert().values(row))
    return True


def forget(connection: Connection, caller: str, now: datetime) -> None:
    """Note that a caller's answers are nobody's, whenever they come in from a spool."""
    lock(connection)
    connection.execute(delete(FORGOTTEN).where(FORGOTTEN.c.caller == caller))
    connection.execute(FORGOTTEN.insert().values(caller=caller, forgotten_at=now))


def delete_forgotten(connection: Connection, before: datetime) -> None:
    """Delete the notes from before a moment, of whom no record can be left on its way."""
    lock(connection)
    connection.execute(delete(FORGOTTEN).where(FORGOTTEN.c.forgotten_at < before))


def anonymise(connection: Connection, caller: str, block: int, batch: int) -> int:
    """Forget that the first records of a block are a caller's, so many at most; tell how many."""
    lock(connection)
    mine = (
        TERMS.c.field == CALLER,
        TERMS.c.block == block,
        TERMS.c.value == word_number(caller),
    )
    first = select(TERMS.c.position).where(*mine).order_by(TERMS.c.position).limit(batch)
    positions = connection.scalars(first).all()
    if not positions:
        return 0
    chosen = update(RECORDS).where(RECORDS.c.position.in_(positions), RECORDS.c.caller == caller)
    changed = connection.execute(chosen.values(caller=None)).rowcount
    connection.execute(delete(TERMS).where(*mine, TERMS.c.position <= positions[-1]))
    return changed


def silence(connection: Connection, around: datetime, now: datetime) -> Silence | None:
    """Tell how long nothing was recorded: from the last record before a moment to the next one.

    Where there is no next one, until now; where there is no last one, there was no silence.
    """
    column, bound = RECORDS.c.position, position_at(around)
    last = connection.scalar(select(func.max(column)).where(column < bound))
    following = connection.scalar(select(func.min(column)).where(column >= bound))
    end = position_at(now) if following is None else following
    return None if last is None else Silence(last, (end - last >> TIE_BITS) * MICROSECOND)


def doubted(connection: Connection, silence: Silence, seconds: float) -> float:
    """Tell for how many seconds a silence is doubted; 0: from now on.

    Not since when: the clock that would tell it is what is doubted.

    Args:
        seconds: For how long the caller has seen it doubted; the longest that anybody has counts.
    """
    lock(connection)
    name = f"{DOUBT_PREFIX}{silence.last}"
    known = offset(connection, name)
    if not known:
        end_doubts(connection)
    longest = max(known, int(seconds * 1_000_000), 1)
    set_offset(connection, name, longest)
    return longest / 1_000_000 if known else 0.0


def end_doubts(connection: Connection) -> None:
    """Doubt nothing any more; the next silence is doubted anew."""
    connection.execute(delete(OFFSETS).where(OFFSETS.c.spool.startswith(DOUBT_PREFIX)))


def delete_older(connection: Connection, before: datetime, batch: int) -> int:
    """Delete the oldest records from before a moment, so many at most; tell how many.

    Their terms go when the last record of their block does, or before by `delete_terms`. Counts by
    the day stay; the words among them go by `delete_words`.
    """
    lock(connection)
    column = RECORDS.c.position
    aged = select(column).where(column < position_at(before)).order_by(column).limit(batch)
    positions = connection.scalars(aged).all()
    if positions:
        connection.execute(delete(RECORDS).where(column <= positions[-1]))
        connection.execute(delete(ACTUALS).where(ACTUALS.c.position <= positions[-1]))
        _delete_blocks(connection, positions[-1])
        _delete_counts(connection, int(before.timestamp()))
    return len(positions)


def _delete_blocks(connection: Connection, last: int) -> None:
    """Delete the blocks that end at a position or before, field by field as the index has them."""
    blocks = connection.scalars(select(BLOCKS.c.block).where(BLOCKS.c.last <= last)).all()
    if blocks:
        gone = TERMS.c.field.in_(field_numbers(connection)), TERMS.c.block.in_(blocks)
        connection.execute(delete(TERMS).where(*gone))
        connection.execute(delete(BLOCKS).where(BLOCKS.c.block.in_(blocks)))


def _delete_counts(connection: Connection, before: int) -> None:
    for table in (COUNTS, SPREADS):
        fine = table.c.width.in_([MINUTE, HOUR])
        aged = table.c.start < before // DAY * DAY
        connection.execute(delete(table).where(fine, aged))


def outlived_terms(connection: Connection) -> Sequence[tuple[int, int]]:
    """List the field and block of the terms from before the oldest record, whose own are gone.

    It reads the block in which that record lies, which may have others of a year.
    """
    oldest = _oldest(connection)
    blocks = connection.scalars(select(BLOCKS.c.block).where(BLOCKS.c.first < oldest)).all()
    fields = TERMS.c.field.in_(field_numbers(connection))
    outlived = fields, TERMS.c.block.in_(blocks), TERMS.c.position < oldest
    found = connection.execute(select(TERMS.c.field, TERMS.c.block).where(*outlived).distinct())
    return [(row.field, row.block) for row in found]


def delete_terms(connection: Connection, field: int, block: int) -> None:
    """Delete what a field and block have of terms from before the oldest record.

    The block counts as full as it was: later ones begin, and are merged, as if it had them still.
    """
    lock(connection)
    outlived = (
        TERMS.c.field == field,
        TERMS.c.block == block,
        TERMS.c.position < _oldest(connection),
    )
    connection.execute(delete(TERMS).where(*outlived))


def _oldest(connection: Connection) -> int:
    """Tell the position of the oldest record; what comes late may be older than what is gone."""
    return connection.scalar(select(func.min(RECORDS.c.position))) or 0


def steps_with_words(connection: Connection, before: datetime) -> Sequence[tuple[int, int]]:
    """List the width and start of each step, of days before a moment's, in which words are counted.

    It reads as many counts as a chart of those days.
    """
    width, start = SPREADS.c.width, SPREADS.c.start
    aged = start < int(before.timestamp()) // DAY * DAY
    counted = select(width, start).where(width.in_([HOUR, DAY]), aged, SPREADS.c.word.is_not(None))
    return [(row.width, row.start) for row in connection.execute(counted.distinct())]


def delete_words(connection: Connection, step: tuple[int, int], batch: int) -> int:
    """Delete the first words that are counted in a step, so many at most; tell how many.

    A word may be a whole answer, so it is kept for no longer; a number's bin tells of nobody.
    """
    lock(connection)
    width, start = step
    words = SPREADS.c.width == width, SPREADS.c.start == start, SPREADS.c.word.is_not(None)
    key = SPREADS.c.field, SPREADS.c.source, SPREADS.c.bin
    found = connection.execute(select(*key).where(*words).order_by(*key).limit(batch)).all()
    if found:
        last = tuple_(*found[-1], types=[column.type for column in key])
        connection.execute(delete(SPREADS).where(*words, tuple_(*key) <= last))
    return len(found)
