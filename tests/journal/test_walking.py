"""The walk: whatever leads it, it finds what a look at each record would find."""

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
from stopgap.journal.store.wanted import Wanted
from stopgap.storage.database import EPOCH, Database


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal."""
    made = various(400)
    add(journal_database, made)
    return made


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """List the records that are looked at."""
    seen: list[int] = []
    looked_at = walking._looked_at

    def spy(
        connection: Connection, led: Sequence[int], wanted: Sequence[Wanted], enough: int
    ) -> Sequence[int]:
        seen.extend(led if wanted else ())
        return looked_at(connection, led, wanted, enough)

    monkeypatch.setattr(walking, "_looked_at", spy)
    return seen


def test_small_steps_lead_as_far(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few records a step leads to, the walk goes on until it has what is asked for."""
    monkeypatch.setattr(walking, "STEP_MAX", 3)
    hold(journal, some)


def test_nothing_leads(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch, looked_at: list[int]
) -> None:
    """Where ranges are so wide that none leads, the newest records are looked at themselves."""
    monkeypatch.setattr(planning, "SORTED", 0)
    monkeypatch.setattr(planning, "LOOK", 0)
    hold(journal, some)
    looked_at.clear()
    assert len(journal.page(Filters(conditions=(answer(2000, 4999),)), limit=5)) == 5
    assert 5 <= len(looked_at) < 20
    monkeypatch.setattr(walking, "MANY", 5)
    hold(journal, some)


def test_the_rarest_leads(journal: Journal, some: list[Record], looked_at: list[int]) -> None:
    """No more records are looked at than have the rarest of what is asked for."""
    wide = answer(2000, 5000)
    rare = Filters(conditions=(wide, where("count", 7)), contract="madcompany")
    has_seven = newest_first(some, Filters(conditions=(where("count", 7),), contract="madcompany"))
    assert len(journal.page(rare, limit=1000)) == len(has_seven)
    assert len(looked_at) == len(has_seven)
    looked_at.clear()
    narrow = Filters(conditions=(wide, answer(3000, 3050)))
    assert [each.record for each in journal.page(narrow)] == newest_first(some, narrow)
    assert len(looked_at) == len(newest_first(some, narrow))


def test_values_are_held_together_in_the_index(
    journal: Journal, some: list[Record], looked_at: list[int]
) -> None:
    """What has two values is found without a look at the records that have one of them."""
    both = Filters(conditions=(where("count", 7), where("month", "may")))
    assert [each.record for each in journal.page(both)] == newest_first(some, both)
    assert not looked_at


def test_ranges_near_are_held_together_in_the_index(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch, looked_at: list[int]
) -> None:
    """When some have been looked at in vain, the index tells of whole blocks."""
    monkeypatch.setattr(walking, "MANY", 5)
    hold(journal, some)
    looked_at.clear()
    never = Filters(conditions=(answer(2000, 3000), answer(3001, 5000)))
    assert not journal.page(never, limit=5)
    assert len(looked_at) == 5
    monkeypatch.setattr(planning, "LOOK", 1)
    hold(journal, some)


def test_what_is_looked_for_in_vain_is_planned_anew(
    journal: Journal,
    journal_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    looked_at: list[int],
) -> None:
    """What the newest records have not, and so seems to be rare, is found to be common in time."""
    made = [
        replace(each, release="old" if number < 1800 else "new")
        for number, each in enumerate(various(2000))
    ]
    add(journal_database, made)
    monkeypatch.setattr(walking, "MANY", 50)
    never = answer(2000, 3500), answer(3501, 5000)
    assert not journal.page(Filters(release="old", conditions=never), limit=1)
    assert len(looked_at) < 300


def test_enough_is_looked_at(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where whole blocks hold what is asked for, no more of them is looked at than is wanted."""
    monkeypatch.setattr(walking, "LOOKS", 10)
    add(journal_database, various(2000), block_records=1000)
    with journal_database.read() as connection:
        wanted = [Wanted(fields=[], holds=lambda _: True)]
        newest = [each.position for each in journal.page(limit=1000)]
        assert walking._looked_at(connection, newest, wanted, 25) == newest[:30]


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
