"""Merging: old blocks become fewer and larger, and nothing else is different."""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import CompoundSelect, Connection, Select, func, intersect, select
from tests.fakes import FakeClock
from tests.journal.asking import answer, any_filters, hold
from tests.journal.filling import START, add, at, newest_first, various

from stopgap.journal import journal as journal_module
from stopgap.journal import store
from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.store import clearing, planning, postings, walking
from stopgap.journal.store.merging import MERGED, SMALL
from stopgap.journal.store.tables import BLOCKS, RECORDS, TERMS
from stopgap.storage.database import Database

BLOCK = 4
"""Records of a block here; merged ones have 32."""


def fill(database: Database, records: list[Record]) -> None:
    """Insert records, a block's at a time."""
    for start in range(0, len(records), BLOCK):
        add(database, records[start : start + BLOCK], block_records=BLOCK)


def merge(database: Database) -> bool:
    """Merge once."""
    with database.write() as connection:
        return store.merge(connection, block_records=BLOCK)


def sizes(database: Database) -> list[int]:
    """Tell how many records each block has, the oldest first."""
    with database.read() as connection:
        return list(connection.scalars(select(BLOCKS.c.records).order_by(BLOCKS.c.block)))


def terms(connection: Connection) -> int:
    """Count the terms."""
    return connection.scalar(select(func.count()).select_from(TERMS)) or 0


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal with a hundred blocks, and merge them."""
    made = various(100 * BLOCK)
    fill(journal_database, made)
    with journal_database.read() as connection:
        before = terms(connection)
    while merge(journal_database):
        pass
    with journal_database.read() as connection:
        assert terms(connection) == before
    return made


def test_the_oldest_are_merged(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """Eight become one, as long as the newest eight stay; every filter finds what it found."""
    found = sizes(journal_database)
    small = len(found) - 11
    assert found == [MERGED * BLOCK] * 11 + [BLOCK] * small
    assert SMALL <= small < SMALL + MERGED
    hold(journal, some)


@pytest.mark.parametrize("seed", range(4))
def test_any_question_is_answered(
    journal: Journal,
    journal_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Pages, each after the one before, hold what a look at each record finds; however found."""
    source = random.Random(seed)
    made = various(400, seed=seed)
    fill(journal_database, made)
    while merge(journal_database):
        pass
    tuned = {(planning, "FETCH_COST"): [0, 1, 20], (planning, "SORTED_MAX"): [0, 20]}
    tuned |= {(walking, "REPLAN_AFTER"): [0, 3, 1000], (walking, "SCAN_MAX"): [2, 4000]}
    for _ in range(60):
        for (module, name), values in tuned.items():
            monkeypatch.setattr(module, name, source.choice(values))
        filters, limit = any_filters(source), source.choice([1, 7, 50])
        found: list[Record] = []
        before = None
        while entries := journal.page(filters, before=before, limit=limit):
            found += [entry.record for entry in entries]
            before = entries[-1].position
        assert found == newest_first(made, filters), filters


def test_few_blocks_stay(journal_database: Database) -> None:
    """Nothing is merged before there are eight full blocks besides the newest eight."""
    made = various((MERGED + SMALL) * BLOCK)
    fill(journal_database, made[: -2 * BLOCK])
    assert not merge(journal_database)
    fill(journal_database, made[-2 * BLOCK :])
    assert merge(journal_database)
    assert not merge(journal_database)


def test_what_comes_late_is_found(journal: Journal, journal_database: Database) -> None:
    """Records of long ago, from a spool that was away, go into the blocks of their time."""
    made = various(100 * BLOCK)
    late = made[17::10]
    fill(journal_database, [each for each in made if each not in late])
    while merge(journal_database):
        pass
    assert add(journal_database, late, block_records=BLOCK) == len(late)
    hold(journal, made)
    while merge(journal_database):
        pass
    hold(journal, made)


def test_a_block_that_became_large_is_left(journal: Journal, journal_database: Database) -> None:
    """Blocks are merged with those next to them alone, so that they never overlap."""
    made = various(100 * BLOCK)
    late = made[5 * BLOCK : 15 * BLOCK]
    fill(journal_database, [each for each in made if each not in late])
    add(journal_database, late, block_records=BLOCK)
    while merge(journal_database):
        pass
    assert max(sizes(journal_database)) > MERGED * BLOCK
    hold(journal, made)


def test_a_merged_caller_is_made_anonymous(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller's records of a large block are made nobody's in steps, and all of them are."""
    monkeypatch.setattr(journal_module, "ANONYMISE_BATCH", 3)
    mine = [each for each in some if each.caller == "ann"]
    assert journal.anonymise("ann") == len(mine)
    assert not journal.page(Filters(caller="ann"))
    assert journal.find(mine[0].id).record.caller is None
    bobs = [each for each in some if each.caller == "bob"]
    assert len(journal.page(Filters(caller="bob"), limit=1000)) == len(bobs)


def test_blocks_are_merged_while_a_caller_is_made_anonymous(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has moved into a block that was done with already is seen to as well."""
    made = various(100 * BLOCK)
    fill(journal_database, made)
    anonymise = clearing.anonymise

    def anonymise_and_merge(connection: Connection, caller: str, block: int, batch: int) -> int:
        changed = anonymise(connection, caller, block, batch)
        store.merge(connection, block_records=BLOCK)
        return changed

    monkeypatch.setattr(clearing, "anonymise", anonymise_and_merge)
    assert journal.anonymise("ann") == len([each for each in made if each.caller == "ann"])
    assert not any(entry.record.caller == "ann" for entry in journal.page(limit=1000))


def test_merged_blocks_go_with_their_records(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """When all records of a large block are gone, so are its terms."""
    while journal.delete_older(START + timedelta(minutes=9), batch=7):
        left = [each.record for each in journal.page(limit=1000)]
        assert left == newest_first(some, Filters())[: len(left)]
    hold(journal, journal_records(journal))
    journal.delete_older(START + timedelta(days=1))
    with journal_database.read() as connection:
        assert terms(connection) == 0
    assert not sizes(journal_database)


@pytest.mark.parametrize("merged_before", [False, True])
def test_what_has_lost_its_oldest_terms_is_merged(
    *, journal: Journal, journal_database: Database, clock: FakeClock, merged_before: bool
) -> None:
    """A block that a sweep has cut through is merged, and cut again, like any other."""
    made = various(100 * BLOCK)
    fill(journal_database, made)
    clock.forward(days=30, hours=-12)
    while merged_before and merge(journal_database):
        pass
    for minutes in (3, 4, 5):
        clock.forward(minutes=minutes)
        assert journal.sweep(days=30)
        while merge(journal_database):
            pass
        kept = [each for each in made if each.at >= at(clock.now() - timedelta(days=30))]
        hold(journal, kept)
        with journal_database.read() as connection:
            oldest = select(func.min(RECORDS.c.position)).scalar_subquery()
            older = select(func.count()).select_from(TERMS).where(TERMS.c.position < oldest)
            assert connection.scalar(older) == 0


def journal_records(journal: Journal) -> list[Record]:
    """List what a journal has."""
    return [each.record for each in journal.export()]


def test_merging_beside_writers(journal: Journal, journal_database: Database) -> None:
    """Blocks are merged while others write, and nothing is lost or found twice."""
    made = various(200 * BLOCK)
    done = threading.Event()

    def write(records: list[Record]) -> None:
        fill(journal_database, records)

    def keep_merging() -> None:
        while not done.is_set():
            merge(journal_database)

    merger = threading.Thread(target=keep_merging)
    writers = [threading.Thread(target=write, args=(made[part::2],)) for part in range(2)]
    for thread in (merger, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    merger.join()
    assert len(sizes(journal_database)) < 200
    hold(journal, made)


def test_blocks_are_merged_while_they_are_intersected(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What moves into another block between two statements is found there."""
    made = various(100 * BLOCK)
    fill(journal_database, made)
    wide = Filters(conditions=(answer(2000, 5000), answer(2000, 4999)))
    monkeypatch.setattr(walking, "REPLAN_AFTER", 0)
    calls = itertools.count()

    def intersect_after_merging(*matching: Select[int]) -> CompoundSelect[int]:
        if next(calls) == 5:
            with ThreadPoolExecutor(1) as pool:
                while pool.submit(merge, journal_database).result():
                    pass
        return intersect(*matching)

    monkeypatch.setattr(f"{postings.__name__}.intersect", intersect_after_merging)
    found = [each.record for each in journal.page(wide, limit=1000)]
    assert found == newest_first(made, wide)
    assert next(calls) > 6
