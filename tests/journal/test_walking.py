"""The walk: whatever drives it, it finds what a look at each record would find."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from tests.journal.asking import answer, hold, where
from tests.journal.filling import add, newest_first, various
from tests.journal.records import PARTS, record

from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.store import planning, walking
from stopgap.journal.store.predicates import Predicate
from stopgap.storage.columns import EPOCH
from stopgap.storage.database import Database


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal."""
    made = various(400)
    add(journal_database, made)
    return made


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """List the records that are fetched for residual filters."""
    seen: list[int] = []
    filtered = walking._filtered

    def spy(
        connection: Connection,
        candidates: Sequence[int],
        filters: Sequence[Predicate],
        enough: int,
    ) -> Sequence[int]:
        seen.extend(candidates if filters else ())
        return filtered(connection, candidates, filters, enough)

    monkeypatch.setattr(walking, "_filtered", spy)
    return seen


def test_small_scans_come_as_far(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few records a scan yields, the walk goes on until it has what is asked for."""
    monkeypatch.setattr(walking, "SCAN_MAX", 3)
    hold(journal, some)


def test_nothing_drives(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch, fetched: list[int]
) -> None:
    """Where ranges are so wide that none drives, the newest records are fetched and tested."""
    monkeypatch.setattr(planning, "SORTED_MAX", 0)
    monkeypatch.setattr(planning, "FETCH_COST", 0)
    hold(journal, some)
    fetched.clear()
    assert len(journal.page(Filters(conditions=(answer(2000, 4999),)), limit=5)) == 5
    assert 5 <= len(fetched) < 20
    monkeypatch.setattr(walking, "REPLAN_AFTER", 5)
    hold(journal, some)


def test_the_most_selective_drives(
    journal: Journal, some: list[Record], fetched: list[int]
) -> None:
    """No more records are fetched than match the most selective predicate."""
    wide = answer(2000, 5000)
    rare = Filters(conditions=(wide, where("count", 7)), contract="madcompany")
    has_seven = newest_first(some, Filters(conditions=(where("count", 7),), contract="madcompany"))
    assert len(journal.page(rare, limit=1000)) == len(has_seven)
    assert len(fetched) == len(has_seven)
    fetched.clear()
    narrow = Filters(conditions=(wide, answer(3000, 3050)))
    assert [each.record for each in journal.page(narrow)] == newest_first(some, narrow)
    assert len(fetched) == len(newest_first(some, narrow))


def test_exact_predicates_are_joined_in_the_index(
    journal: Journal, some: list[Record], fetched: list[int]
) -> None:
    """What has two values is found, and no record fetched that has one of them."""
    both = Filters(conditions=(where("count", 7), where("month", "may")))
    assert [each.record for each in journal.page(both)] == newest_first(some, both)
    assert not fetched


def test_ranges_are_intersected_in_the_index(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch, fetched: list[int]
) -> None:
    """When scans have fetched in vain, whole blocks of the index are intersected."""
    monkeypatch.setattr(walking, "REPLAN_AFTER", 5)
    hold(journal, some)
    fetched.clear()
    never = Filters(conditions=(answer(2000, 3000), answer(3001, 5000)))
    assert not journal.page(never, limit=5)
    assert len(fetched) == 5
    monkeypatch.setattr(planning, "FETCH_COST", 1)
    hold(journal, some)


def test_what_is_looked_for_in_vain_is_planned_anew(
    journal: Journal,
    journal_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    fetched: list[int],
) -> None:
    """What the newest records have not, and so seems to be rare, is found to be common in time."""
    made = [
        replace(each, release="old" if number < 1800 else "new")
        for number, each in enumerate(various(2000))
    ]
    add(journal_database, made)
    monkeypatch.setattr(walking, "REPLAN_AFTER", 50)
    never = answer(2000, 3500), answer(3501, 5000)
    assert not journal.page(Filters(release="old", conditions=never), limit=1)
    assert len(fetched) < 300


def test_enough_is_fetched(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where whole blocks match, no more of their records are fetched than are needed."""
    monkeypatch.setattr(walking, "FILTER_BATCH", 10)
    add(journal_database, various(2000), block_records=1000)
    with journal_database.read() as connection:
        filters = [Predicate(fields=[], holds=lambda _: True)]
        newest = [each.position for each in journal.page(limit=1000)]
        assert walking._filtered(connection, newest, filters, 25) == newest[:30]


def test_any_number_of_conditions(journal: Journal, journal_database: Database) -> None:
    """More values than a database joins tables can be asked for at once."""
    names = [f"input_{number}" for number in range(100)]
    made = [
        record(
            at=PARTS["at"] + number, inputs=json.dumps(dict.fromkeys(names, number % 5)).encode()
        )
        for number in range(60)
    ]
    add(journal_database, made)
    every = Filters(conditions=tuple(where(name, 3) for name in names))
    assert [each.record for each in journal.page(every)] == newest_first(made, every)


def test_terms_that_outlived_their_records_are_passed_over(
    journal: Journal, journal_database: Database
) -> None:
    """A record that comes in late, from before what has been deleted, shortens no page."""
    start = PARTS["at"]
    made = [record(at=start + 1_000_000 * number) for number in range(1, 101)]
    add(journal_database, made, block_records=1000)
    journal.delete_older(EPOCH + timedelta(microseconds=start + 90_500_000))
    late = record(at=start)
    add(journal_database, [late], block_records=1000)
    its = Filters(contract="madcompany")
    kept = [*made[:89:-1], late]
    assert [each.record for each in journal.page(its, limit=20)] == kept
    assert [each.record for each in journal.export(its)] == kept
