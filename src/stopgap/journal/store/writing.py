"""Records come in: each once, found and counted from the same transaction on."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import Column, Connection, Select, bindparam, delete, func, select

from stopgap.journal.record import Record
from stopgap.journal.store.names import CALLER, SOURCE, Names
from stopgap.journal.store.rollups import Additions
from stopgap.journal.store.rows import add_rows, lock
from stopgap.journal.store.tables import BLOCK_RECORDS, BLOCKS, FORGOTTEN, OFFSETS, RECORDS, TERMS
from stopgap.journal.terms import TIE_BITS, members, number_of, position_of, word_number

CHUNK = 1_000
"""Values that one statement is asked about."""

LEAP = 24 * 3_600 * 1_000_000 << TIE_BITS
"""A day without a record, in positions. A record behind such a gap begins a block, because a wrong
clock may have made it: else what is recorded once the clock is right again, all of it before that
record, would go into one block. So does a record that lies as far before the journal's first."""

SPARED = 10_000
"""Numbers that are left free at a leap, for the blocks of the time between."""

WITHOUT_BLOCKS = delete(BLOCKS).where(BLOCKS.c.block.in_(bindparam("blocks", expanding=True)))

T = TypeVar("T")
Placed = list[tuple[int, Record]]


def insert(
    connection: Connection, records: Sequence[Record], *, block_records: int = BLOCK_RECORDS
) -> int:
    """Add the records that are not there yet; tell how many there were.

    Whatever order they come in, and however often: a record is known by its id.
    """
    lock(connection)
    names = Names(connection)
    placed = _keep(connection, _without_forgotten(connection, records), names)
    if placed:
        blocks = _blocks(connection, [position for position, _ in placed], block_records)
        _index(connection, placed, blocks, names)
    names.save()
    return len(placed)


def _without_forgotten(connection: Connection, records: Sequence[Record]) -> Sequence[Record]:
    """Make anonymous whose caller was forgotten while they waited in a spool."""
    callers = {record.caller for record in records} - {None}
    forgotten = _found(connection, FORGOTTEN.c.caller, list(callers))
    if not forgotten:
        return records
    return [replace(each, caller=None) if each.caller in forgotten else each for each in records]


def _keep(connection: Connection, records: Sequence[Record], names: Names) -> Placed:
    placed = sorted(((position_of(each), each) for each in records), key=itemgetter(0))
    attempt = connection.begin_nested()
    if _add(connection, placed, names) == len(placed):
        attempt.commit()
        return placed
    attempt.rollback()
    settled = _settle(connection, placed)
    _add(connection, settled, names)
    return settled


def _add(connection: Connection, placed: Placed, names: Names) -> int:
    rows = [
        (
            position,
            record.id,
            names.source(record),
            record.caller,
            record.micros,
            record.inputs.decode(errors="replace"),
            record.output.decode(errors="replace"),
        )
        for position, record in placed
    ]
    return add_rows(connection, RECORDS, rows)


def _settle(connection: Connection, placed: Placed) -> Placed:
    """Leave out what is known, and give what shares a position with others the next free one."""
    known = _found(connection, RECORDS.c.id, [record.id for _, record in placed])
    pending = list({each[1].id: each for each in placed if each[1].id not in known}.values())
    settled: dict[int, Record] = {}
    while pending:
        taken = _found(connection, RECORDS.c.position, [position for position, _ in pending])
        moved = []
        for position, record in pending:
            if position in taken or position in settled:
                moved.append((position + 1, record))
            else:
                settled[position] = record
        pending = moved
    return sorted(settled.items())


def _found(connection: Connection, column: Column[T], values: Sequence[T]) -> set[T]:
    """Tell which of some values a column holds."""
    found: set[T] = set()
    for start in range(0, len(values), CHUNK):
        some = values[start : start + CHUNK]
        found.update(connection.scalars(_some_of(column), {"some": some}))
    return found


@cache
def _some_of(column: Column[T]) -> Select[T]:
    """Ask which of some values a column holds.

    Made once: each time that it is made, SQLAlchemy leaves a circle of objects behind, which lie
    about until Python looks for such.
    """
    return select(column).where(column.in_(bindparam("some", expanding=True)))


def _index(connection: Connection, placed: Placed, blocks: Sequence[int], names: Names) -> None:
    additions = Additions()
    terms: list[tuple[int, int, float, int]] = []
    for (position, record), block in zip(placed, blocks, strict=True):
        source = names.source(record)
        terms.append((SOURCE, block, float(source), position))
        if record.caller is not None:
            terms.append((CALLER, block, word_number(record.caller), position))
        inputs = _findable(record.contract, "input", record.inputs, names)
        outputs = _findable(record.contract, "output", record.output, names)
        terms += [(field, block, number, position) for field, number, _ in (*inputs, *outputs)]
        additions.count(record, source, [(field, value) for field, _, value in outputs])
    add_rows(connection, TERMS, sorted(terms))
    additions.save(connection)


def _findable(
    contract: str, part: str, text: bytes, names: Names
) -> list[tuple[int, float, object]]:
    """Tell of each member that a record is found by: its field, its number, and the value."""
    return [
        (names.field(contract, part, name), number, value)
        for name, value in members(text).items()
        if (number := number_of(value)) is not None
    ]


@dataclass
class _Block:
    block: int
    first: int
    last: int
    records: int


def _blocks(connection: Connection, positions: Sequence[int], size: int) -> list[int]:
    """Tell the block of each of some positions, which are in order; new blocks begin at the end.

    There, or at a leap. What comes late goes where it belongs, into a block that is full
    already; so blocks never overlap, and their order is that of time.
    """
    blocks = _blocks_from(connection, positions[0]) or [_Block(0, positions[0], positions[0], 0)]
    firsts = [each.first for each in blocks]
    touched: dict[int, _Block] = {}
    found = []
    for position in positions:
        place = bisect_right(firsts, position)  # behind the last block that begins before
        number = _new_number(blocks[max(0, place - 1) : place + 1], position, size)
        if number is None:
            place = max(0, place - 1)
        else:
            blocks.insert(place, _Block(number, position, position, 0))
            firsts.insert(place, position)
        block = blocks[place]
        block.first = min(block.first, position)
        block.last = max(block.last, position)
        block.records += 1
        touched[block.block] = block
        found.append(block.block)
    connection.execute(WITHOUT_BLOCKS, {"blocks": list(touched)})
    add_rows(connection, BLOCKS, [astuple(each) for each in touched.values()])
    return found


def _new_number(around: Sequence[_Block], position: int, size: int) -> int | None:
    """Tell the number of the block that begins with a position; None: it belongs to one of these.

    Args:
        around: The last block that begins before it, and the one after that, where there are such.
        size: Records of a full block.
    """
    block, *following = around
    if position < block.first:
        return block.block - SPARED if block.first - position > LEAP else None
    leaps = position - block.last > LEAP
    if position <= block.last or not (leaps or block.records >= size):
        return None
    if not following:
        return block.block + (SPARED if leaps else 1)
    free = following[0].block - block.block > 1 and following[0].first - position > LEAP
    return block.block + 1 if free else None


def _blocks_from(connection: Connection, position: int) -> list[_Block]:
    """Tell the block that a position belongs to, and those after it."""
    at = select(func.max(BLOCKS.c.first)).where(BLOCKS.c.first <= position).scalar_subquery()
    after = select(BLOCKS).where(BLOCKS.c.first >= func.coalesce(at, 0)).order_by(BLOCKS.c.block)
    return [_Block(*row) for row in connection.execute(after)]


def offset(connection: Connection, spool: str) -> int:
    """Tell how many bytes of a spool's file are in the journal."""
    found = connection.scalar(select(OFFSETS.c.reached).where(OFFSETS.c.spool == spool))
    return found or 0


def set_offset(connection: Connection, spool: str, offset: int) -> None:
    """Note how far a spool has been read, in the transaction that adds what was read."""
    forget_offset(connection, spool)
    add_rows(connection, OFFSETS, [(spool, offset)])


def forget_offset(connection: Connection, spool: str) -> None:
    """Forget a spool whose file is gone."""
    connection.execute(delete(OFFSETS).where(OFFSETS.c.spool == spool))
