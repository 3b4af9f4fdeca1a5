"""Blocks: in the order of time, of a bounded size, whatever the clock has told."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.journal.asking import hold
from tests.journal.filling import SECOND, add, various

from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.store.tables import BLOCKS
from stopgap.storage.database import Database

SIZE = 16
DAY = 86_400 * SECOND


def blocks(database: Database) -> Sequence[tuple[int, int, int, int]]:
    """Tell each block's number, first and last position, and records, in order of their numbers."""
    with database.read() as connection:
        rows = connection.execute(select(BLOCKS).order_by(BLOCKS.c.block))
        return [(row.block, row.first, row.last, row.records) for row in rows]


def later(record: Record, days: float) -> Record:
    """Make a record of another day."""
    return replace(record, at=record.at + round(days * DAY))


@pytest.mark.parametrize("place", [0, 100])
def test_a_clock_that_was_ahead_freezes_no_block(
    journal: Journal, journal_database: Database, place: int
) -> None:
    """One record of the far future has a block of its own; those of today have theirs.

    Also where it is the first of all, from a machine whose clock was set once it was up.
    """
    made = various(320)
    made[place] = later(made[place], 3_650)
    add(journal_database, made[:1], block_records=SIZE)
    for start in range(1, len(made), 10):
        add(journal_database, made[start : start + 10], block_records=SIZE)
    assert max(records for *_, records in blocks(journal_database)) < 2 * SIZE
    hold(journal, made)


def test_whatever_the_clock_tells(journal: Journal, journal_database: Database) -> None:
    """With leaps of all lengths, forth and back, blocks never overlap, and all is found."""
    source = random.Random(7)
    made = [
        later(each, source.choice([0, 0, 0, 0, 0.5, 1.5, 2, 30, -400]))
        for each in various(600, seed=3)
    ]
    for start in range(0, len(made), SIZE):
        add(journal_database, made[start : start + SIZE], block_records=SIZE)
    hold(journal, made)
    found = blocks(journal_database)
    ends = [end for _, first, last, _ in found for end in (first, last)]
    assert ends == sorted(ends)
