"""Retention: what is older than it may be is gone, and nothing else."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select
from tests.fakes import FakeClock
from tests.journal.asking import hold
from tests.journal.filling import START, add, at, newest_first, various
from tests.journal.records import record

from stopgap.journal import journal as journals
from stopgap.journal import store
from stopgap.journal.filters import Condition, Filters
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.store import clearing
from stopgap.journal.store.rollups import DAY, HOUR, MINUTE
from stopgap.journal.store.rows import lock
from stopgap.journal.store.tables import (
    ACTUALS,
    BLOCKS,
    COUNTS,
    FORGOTTEN,
    RECORDS,
    SPREADS,
    TERMS,
)
from stopgap.storage.database import Database

MAY = Filters(conditions=(Condition(part="input", name="month", low="may", high="may"),))


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal."""
    made = various(200)
    for start in range(0, 200, 10):
        add(journal_database, made[start : start + 10])
    return made


def counts(database: Database) -> list[int]:
    """Count the rows of the tables that grow with every record."""
    with database.read() as connection:
        return [
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (RECORDS, ACTUALS, TERMS, BLOCKS)
        ]


def test_age_decides(journal: Journal, some: list[Record]) -> None:
    """What is from before the moment is gone, to the microsecond; what is left is found as ever."""
    bound = START + timedelta(minutes=4)
    while journal.delete_older(bound, batch=7):
        left = [each.record for each in journal.page(limit=1000)]
        assert left == newest_first(some, Filters())[: len(left)]
    kept = [each for each in some if each.at >= at(bound)]
    assert 0 < len(kept) < len(some)
    for filters in (Filters(), MAY, Filters(caller="ann"), Filters(contract="delivery-time")):
        found = [entry.record for entry in journal.page(filters, limit=1000)]
        assert found == newest_first(kept, filters)


def test_batches(journal: Journal, some: list[Record]) -> None:
    """One step deletes one batch, the oldest first, and tells how many."""
    assert journal.delete_older(START + timedelta(days=1), batch=150) == 150
    assert [each.record for each in journal.page(limit=100)] == some[:149:-1]
    assert journal.delete_older(START + timedelta(days=1), batch=150) == 50
    assert journal.delete_older(START + timedelta(days=1), batch=150) == 0


def test_nothing_of_a_record_stays(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """When all records are gone, so are their terms, blocks and outcomes."""
    journal.report_actual(some[0].id, 1)
    journal.delete_older(START + timedelta(days=1))
    assert counts(journal_database) == [0, 0, 0, 0]


def outlived(database: Database) -> int:
    """Count the terms from before the oldest record."""
    with database.read() as connection:
        oldest = connection.scalar(select(func.min(RECORDS.c.position))) or 0
        assert connection.scalar(select(BLOCKS.c.block).where(BLOCKS.c.first < oldest)) is not None
        older = select(func.count()).select_from(TERMS).where(TERMS.c.position < oldest)
        return connection.scalar(older) or 0


def sweep_minutes(journal: Journal, clock: FakeClock, minutes: int) -> int:
    """Sweep a month after so many minutes of records; the clock is at its first noon."""
    clock.forward(days=30, hours=-12, minutes=minutes)
    return journal.sweep(days=30)


def test_terms_go_with_their_records(
    journal: Journal, journal_database: Database, some: list[Record], clock: FakeClock
) -> None:
    """Nothing tells of an old answer for as long as others of its block are kept."""
    assert 0 < sweep_minutes(journal, clock, 5) < len(some)
    assert outlived(journal_database) == 0
    hold(journal, [each for each in some if each.at >= at(START + timedelta(minutes=5))])


def test_a_block_that_has_lost_terms_takes_what_comes(
    journal: Journal,
    journal_database: Database,
    some: list[Record],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is late for such a block, be it while its terms go, is found until the next sweep."""
    late = [replace(each, id=f"late-{each.id}", at=each.at + 1) for each in some[40:60]]
    outlived_terms = clearing.outlived_terms

    def be_late(connection: Connection) -> Sequence[tuple[int, int]]:
        listed = outlived_terms(connection)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(add, journal_database, late).result()
        return listed

    with monkeypatch.context() as patch:
        patch.setattr(clearing, "outlived_terms", be_late)
        sweep_minutes(journal, clock, 5)
    kept = [each for each in some if each.at >= at(START + timedelta(minutes=5))]
    hold(journal, [*kept, *late])
    assert journal.sweep(days=30) == len(late)
    assert outlived(journal_database) == 0
    add(journal_database, late)
    hold(journal, [*kept, *late])


def test_counts_by_the_day_stay(
    journal: Journal,
    journal_database: Database,
    some: list[Record],
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of old days the charts still tell the sums, which are nobody's; finer steps are gone.

    How many answers went is in the log.
    """
    caplog.set_level(logging.INFO)
    clock.forward(days=40)
    assert journal.sweep(days=30) == 0
    clock.forward(days=1)
    assert journal.sweep(days=30) == len(some)
    assert caplog.messages[-1].startswith("200 answers from before 2030-01-12")
    journal.sweep(days=30)
    assert len(caplog.messages) == 2  # the first is of the doubt
    assert sum(point.answers for point in journal.charts().timeline.points) == len(some)
    assert sum(each.answers for each in journal.stats()) == len(some)
    with journal_database.read() as connection:
        assert set(connection.scalars(select(COUNTS.c.width))) == {86_400}


def words(database: Database) -> set[str]:
    """List the words that charts can tell of."""
    with database.read() as connection:
        return {word for word in connection.scalars(select(SPREADS.c.word)) if word is not None}


def test_words_go_with_their_answers(
    journal: Journal,
    journal_database: Database,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A word may be all that somebody was told: the charts of old days have numbers alone."""
    monkeypatch.setattr(journals, "DELETE_BATCH", 2)
    for day in range(40):
        moment = at(START + timedelta(days=day))
        told = [record(at=moment, output=b'"%d, %d"' % (day, number)) for number in range(5)]
        add(journal_database, [*told, record(at=moment, output=b"7")])
    clock.forward(days=40)
    journal.sweep(days=30)
    kept = {f"{day}, {number}" for day in range(10, 40) for number in range(5)}
    assert words(journal_database) == kept
    shown = journal.charts().spread
    assert sum(bar.answers for bar in shown if bar.low is not None) == 40
    assert sum(bar.answers for bar in shown if bar.low is None) == len(kept)
    assert {bar.word for bar in shown} <= {None, *kept}


def test_words_go_though_no_answer_does(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """The words of a day of which no answer is left go when all of the day is too old."""
    add(journal_database, [record(at=at(START), output=b'"told"')])
    while journal.delete_older(START + timedelta(minutes=1)):
        pass
    assert words(journal_database) == {"told"}
    clock.forward(days=40)
    assert journal.sweep(days=30) == 0
    assert words(journal_database) == set()


def test_who_was_forgotten_is_in_time_forgotten_altogether(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """A note of whom to forget stays for as long as a record could still be on its way."""
    forgotten = select(FORGOTTEN.c.caller)
    journal.anonymise("ann")
    clock.forward(days=29)
    journal.anonymise("bob")
    journal.sweep(days=30)
    with journal_database.read() as connection:
        assert set(connection.scalars(forgotten)) == {"ann", "bob"}
    clock.forward(days=2)
    journal.sweep(days=30)
    with journal_database.read() as connection:
        assert set(connection.scalars(forgotten)) == {"bob"}


@pytest.mark.parametrize("recorded", [False, True])
def test_a_clock_that_leaps(
    *,
    journal: Journal,
    journal_database: Database,
    some: list[Record],
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    recorded: bool,
) -> None:
    """Where all from before a long silence would go, it is told and waits for a day, once.

    So it does although answers are recorded by the clock that has leapt.
    """
    clock.forward(days=730)
    if recorded:
        add(journal_database, [record(at=clock.microseconds() - 1)])
    for _ in range(2):
        clock.forward(hours=11)
        assert journal.sweep(days=365) == 0
    assert len(journal.page(limit=1000)) == len(some) + recorded
    (told,) = caplog.messages
    assert "nothing was recorded for 730 days before" in told
    clock.forward(hours=13)
    assert journal.sweep(days=365) == len(some)


def test_a_doubt_outlives_a_process(
    journal_database: Database,
    some: list[Record],
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where no worker lives for a day, what is doubted is deleted after a day all the same."""
    clock.forward(days=730)
    for _ in range(3):
        journal = Journal(journal_database, clock)
        assert journal.sweep(days=365) == 0
        clock.forward(hours=8)
        swept = journal.sweep(days=365)
    assert (swept, len(caplog.messages)) == (len(some), 1)


def test_a_clock_that_leaps_twice(
    journal_database: Database, some: list[Record], clock: FakeClock
) -> None:
    """Time that passed by the clock alone, while no process counted it, ends no doubt."""
    for days in (730, 40, 2):
        clock.forward(days=days)
        assert Journal(journal_database, clock).sweep(days=365) == 0
    assert len(Journal(journal_database, clock).page(limit=1000)) == len(some)


def test_another_silence_is_another_doubt(
    journal_database: Database, some: list[Record], clock: FakeClock
) -> None:
    """A doubt that an ended process has left counts for no other silence."""
    clock.forward(days=730)
    assert Journal(journal_database, clock).sweep(days=365) == 0
    clock.forward(days=-700)
    add(journal_database, [new := record(at=clock.microseconds())])
    clock.forward(days=730)
    journal = Journal(journal_database, clock)
    assert journal.sweep(days=365) == 0
    clock.forward(hours=23)
    assert journal.sweep(days=365) == 0
    clock.forward(hours=1)
    assert journal.sweep(days=365) == len([*some, new])


def test_what_is_due_each_day_goes_each_day(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """Where answers have come in all the time, the oldest go at once, be it that few are kept."""
    for day in range(40):
        add(journal_database, [record(at=at(START + timedelta(days=day)))])
    clock.forward(days=40)
    assert journal.sweep(days=30) == 11
    assert journal.sweep(days=1) == 29


def test_what_is_young_enough_stays(journal: Journal, some: list[Record], clock: FakeClock) -> None:
    """A sweep counts its days back from now."""
    clock.forward(days=20)
    assert journal.sweep(days=30) == 0
    assert len(journal.page(limit=1000)) == len(some)


def test_life_goes_on(journal: Journal, journal_database: Database, some: list[Record]) -> None:
    """After a sweep new records come in, and one that is late is found until the next sweep."""
    journal.delete_older(START + timedelta(minutes=4))
    new = record(at=at(START + timedelta(hours=1)), inputs=b'{"month":"may"}')
    late = record(at=some[0].at + 1, inputs=b'{"month":"may"}')
    add(journal_database, [new])
    add(journal_database, [late])
    found = [entry.record for entry in journal.page(MAY, limit=1000)]
    assert (found[0], found[-1]) == (new, late)
    assert journal.delete_older(START + timedelta(minutes=4)) == 1
    assert late not in [entry.record for entry in journal.page(MAY, limit=1000)]
    journal.delete_older(START + timedelta(days=1))
    assert counts(journal_database) == [0, 0, 0, 0]


def test_finer_counts_of_young_answers_stay(journal: Journal, journal_database: Database) -> None:
    """Days whose answers go lose their minutes and hours; the charts of yesterday stay fine."""
    old, young = (record(at=at(START + timedelta(days=days))) for days in (0, 35))
    add(journal_database, [old, young])
    assert journal.delete_older(START + timedelta(days=30)) == 1
    widths = select(COUNTS.c.width).where(COUNTS.c.start >= young.at // 1_000_000 // DAY * DAY)
    with journal_database.read() as connection:
        assert set(connection.scalars(widths)) == {MINUTE, HOUR, DAY}


def test_a_clock_that_leaps_again(journal: Journal, some: list[Record], clock: FakeClock) -> None:
    """Who has set the clock right has a whole day again when it leaps another time."""
    clock.forward(days=730)
    assert journal.sweep(days=365) == 0
    clock.forward(days=-730)
    assert journal.sweep(days=365) == 0
    clock.forward(days=2)
    assert journal.sweep(days=365) == 0
    clock.forward(days=730)
    assert journal.sweep(days=365) == 0
    assert len(journal.page(limit=1000)) == len(some)


def merged(database: Database) -> bool:
    """Merge old blocks, as the drainer does."""
    with database.write() as connection:
        return store.merge(connection)


WRITES: list[Callable[[Journal, Database, str], object]] = [
    lambda journal, _database, _id: journal.anonymise("nobody yet"),
    lambda journal, _database, name: journal.report_actual(name, 1),
    lambda journal, _database, _id: journal.delete_older(START + timedelta(days=1)),
    lambda _journal, database, _id: add(database, [record()]),
    lambda _journal, database, _id: merged(database),
]


@pytest.mark.parametrize("write", WRITES)
def test_one_writes_at_a_time(
    journal: Journal,
    journal_database: Database,
    some: list[Record],
    write: Callable[[Journal, Database, str], object],
) -> None:
    """Who forgets a caller, or deletes, sees all that others have brought in, and they that."""
    writing = threading.Thread(target=write, args=(journal, journal_database, some[0].id))
    with journal_database.write() as holder:
        lock(holder)
        writing.start()
        writing.join(0.3)
        assert writing.is_alive()
    writing.join(10)
    assert not writing.is_alive()
