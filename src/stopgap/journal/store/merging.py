"""Old blocks are merged, so that a question which finds little has few of them to walk."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, literal, select

from stopgap.journal.store.names import field_numbers
from stopgap.journal.store.rows import add_rows, lock
from stopgap.journal.store.tables import BLOCK_RECORDS, BLOCKS, TERMS

MERGED = 8
"""Blocks that become one, in half a second. Of ten million records 160 blocks are left then, and a
value that none of them has is looked for in half a millisecond instead of three and a half."""

SMALL = 8
"""The newest blocks stay as they are: in most pages is what is new, and a range is sorted block by
block."""


def merge(connection: Connection, *, block_records: int = BLOCK_RECORDS) -> bool:
    """Make one block of the oldest that are small, full and next to each other; tell whether any.

    Args:
        block_records: Of a full one.
    """
    lock(connection)
    small = BLOCKS.c.records < MERGED // 2 * block_records
    blocks = connection.execute(select(BLOCKS).where(small).order_by(BLOCKS.c.block)).all()
    for start in range(len(blocks) - SMALL - MERGED + 1):
        run = blocks[start : start + MERGED]
        if run[-1].block - run[0].block == MERGED - 1:
            _merge(connection, run)
            return True
    return False


def _merge(connection: Connection, run: Sequence[Row[Any]]) -> None:
    """Move what all blocks of a run have into the first."""
    target, *others = [each.block for each in run]
    for field in field_numbers(connection):
        moved = TERMS.c.field == field, TERMS.c.block.between(others[0], others[-1])
        terms = select(TERMS.c.field, literal(target), TERMS.c.value, TERMS.c.position)
        sorted_terms = terms.where(*moved).order_by(TERMS.c.value, TERMS.c.position)
        connection.execute(TERMS.insert().from_select(TERMS.c.keys(), sorted_terms))
        connection.execute(delete(TERMS).where(*moved))
    connection.execute(delete(BLOCKS).where(BLOCKS.c.block.between(target, others[-1])))
    records = sum(each.records for each in run)
    add_rows(connection, BLOCKS, [(target, run[0].first, run[-1].last, records)])
