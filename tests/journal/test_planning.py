"""Query planning: what each predicate is used for, by how many postings it has."""

import pytest
from sqlalchemy import event
from tests.journal.asking import answer, where
from tests.journal.filling import add, various

from stopgap.journal.filters import Filters
from stopgap.journal.store import planning
from stopgap.journal.store.planning import QueryPlan, plan_for
from stopgap.journal.store.predicates import PositionRange, Predicate, predicates_of
from stopgap.storage.database import Database

MAY, NARROW, WIDE = where("month", "may"), answer(2000, 2400), answer(2000, 5000)
ALL = PositionRange(low=0, high=2**62)


@pytest.fixture(autouse=True)
def _one_block(journal_database: Database) -> None:
    """Fill one block: 266 of its 400 records have a number as their output."""
    add(journal_database, various(400), block_records=400)


def planned(database: Database, filters: Filters) -> tuple[QueryPlan, list[Predicate]]:
    """Plan a page of fifty; give the predicates as well: the conditions, then the caller."""
    with database.read() as connection:
        predicates = predicates_of(connection, filters)
        return plan_for(connection, predicates, ALL, 50), predicates


def test_the_most_selective_drives_and_exact_ones_are_joined(journal_database: Database) -> None:
    """A scan reads what has the fewest postings, and seeks values in the index, rarest first."""
    filters = Filters(caller="ann", conditions=(WIDE, MAY, NARROW))
    plan, (wide, may, narrow, ann) = planned(journal_database, filters)
    assert (plan.driving, plan.joined) == (narrow, [may, ann])
    assert plan.residual == [wide]
    assert plan.intersected == [narrow, may, ann, wide]


def test_what_is_common_is_tested_on_records_only(
    journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A range is not read where it takes less to fetch all that the driving one matches."""
    monkeypatch.setattr(planning, "FETCH_COST", 1)
    plan, (wide, narrow) = planned(journal_database, Filters(conditions=(WIDE, NARROW)))
    assert (plan.driving, plan.intersectable, plan.record_only) == (narrow, [], [wide])
    assert plan.residual == [wide]
    assert plan.intersected == [narrow]


def test_few_are_joined(journal_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More values than may be joined are residual."""
    monkeypatch.setattr(planning, "JOINS_MAX", 1)
    filters = Filters(caller="ann", conditions=(MAY, NARROW))
    plan, (may, narrow, ann) = planned(journal_database, filters)
    assert (plan.driving, plan.joined, plan.intersectable) == (narrow, [may], [ann])


def test_a_range_that_is_too_wide_does_not_drive(
    journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large block it may take less to fetch the newest records than to sort a range."""
    monkeypatch.setattr(planning, "FETCH_COST", 1)
    filters = Filters(conditions=(WIDE, answer(2000, 4999)))
    plan, (wide, _) = planned(journal_database, filters)
    assert plan.driving == wide
    monkeypatch.setattr(planning, "SORTED_MAX", 100)
    plan, predicates = planned(journal_database, filters)
    assert plan == QueryPlan(driving=None, intersectable=predicates)


def test_one_value_needs_no_counting(journal_database: Database) -> None:
    """What is asked most often, by one value, is planned without a statement."""
    with journal_database.read() as connection:
        predicates = predicates_of(connection, Filters(caller="ann"))
        sent: list[object] = []
        event.listen(connection, "before_execute", lambda *given: sent.append(given))
        assert plan_for(connection, predicates, ALL, 50) == QueryPlan(driving=predicates[0])
    assert not sent
