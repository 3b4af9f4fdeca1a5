"""Predicates: what filters ask of a record, said to the index of terms and of the record itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, select

from stopgap.journal.filters import Condition, Filters
from stopgap.journal.store.names import CALLER, SOURCE
from stopgap.journal.store.tables import BLOCKS, FIELDS, SOURCES
from stopgap.journal.terms import members, number_of, word_number


@dataclass(frozen=True, kw_only=True)
class Predicate:
    """What a record must have: in one of these fields, one of these values or one of a range."""

    fields: Sequence[int]
    values: Sequence[float] = ()
    low: float = 0
    high: float = 0
    holds: Callable[[Row[Any]], bool]  # of a record and its contract
    ambiguous: bool = False  # terms of another type may match, such as a text's in a range

    @property
    def exact(self) -> bool:
        """Whether it is one value of one field, so that a block has one posting list of it."""
        return len(self.fields) == len(self.values) == 1

    def matches(self, terms: FromClause) -> ColumnElement[bool]:
        """Write it as a condition on a table of terms; `holds` tests a record itself."""
        value = terms.c.value
        there = _among(value, self.values) if self.values else value.between(self.low, self.high)
        return and_(_among(terms.c.field, self.fields), there)


@dataclass(frozen=True, kw_only=True)
class PositionRange:
    """Positions from `low` to just below `high`."""

    low: int
    high: int

    def around(self, position: Any) -> ColumnElement[bool]:
        """Say that a position is in it."""
        return and_(position >= self.low, position < self.high)

    def blocks(self) -> ColumnElement[bool]:
        """Say that a block has positions in it."""
        return and_(BLOCKS.c.first < self.high, BLOCKS.c.last >= self.low)


TRUTHS = (0, 1)
"""Terms of false and true, which are those of two numbers."""

NOTHING = Predicate(fields=[], holds=lambda _: False)
"""What no record has."""


def predicates_of(connection: Connection, filters: Filters) -> list[Predicate]:
    """List all that filters ask, but for the time; a record must match every one."""
    fields = connection.execute(select(FIELDS)).all() if filters.conditions else []
    own = [row for row in fields if filters.contract in {None, row.contract}]
    predicates = [_condition(own, each) for each in filters.conditions]
    if filters.caller is not None:
        predicates.append(of_caller(filters.caller))
    implied = filters.release is None and filters.conditions  # a field is of one contract
    if not implied and (filters.contract is not None or filters.release is not None):
        predicates.append(_source(connection, filters))
    return predicates


def of_caller(caller: str) -> Predicate:
    """Ask for a caller's records."""
    return Predicate(
        fields=[CALLER],
        values=[word_number(caller)],
        holds=lambda row: bool(row.caller == caller),
    )


def source_ids(contract: str | None, release: str | None) -> Select[int]:
    """Say which sources are of a contract, of a release, or of both."""
    named = {SOURCES.c.contract: contract, SOURCES.c.release: release}
    conditions = [column == name for column, name in named.items() if name is not None]
    return select(SOURCES.c.id).where(*conditions)


def _source(connection: Connection, filters: Filters) -> Predicate:
    found = connection.scalars(source_ids(filters.contract, filters.release)).all()
    return Predicate(
        fields=[SOURCE] if found else [], values=found, holds=lambda row: row.source in found
    )


def _condition(fields: Sequence[Row[Any]], condition: Condition) -> Predicate:
    named = {
        (row.contract, row.name): row.id
        for row in fields
        if row.part == condition.part
        and (row.name == condition.name or (row.contract, row.name) in condition.aliases)
    }
    asked = [(condition.low, condition.high), *((each, each) for each in condition.others)]
    ranges = [
        (_type(first), low, high)
        for first, last in asked
        if (low := number_of(first)) is not None and (high := number_of(last)) is not None
    ]
    if not ranges:
        return NOTHING

    def meets(value: object) -> bool:
        number = number_of(value)
        return number is not None and any(
            _type(value) is kind and low <= number <= high for kind, low, high in ranges
        )

    def holds(row: Row[Any]) -> bool:
        text = row.inputs if condition.part == "input" else row.output
        found = members(text.encode()).items()
        return any(meets(value) for name, value in found if (row.contract, name) in named)

    _, low, high = ranges[0]
    values = [low for _, low, _ in ranges] if low == high else []
    return Predicate(
        fields=list(named.values()),
        values=values,
        low=low,
        high=high,
        holds=holds,
        ambiguous=not values or not set(values).isdisjoint(TRUTHS),
    )


def _type(value: object) -> type:
    """Tell apart what has a number without being one."""
    return type(value) if isinstance(value, bool | str) else float


def _among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Say that a column is one of some values; of one alone, so that the index keeps its order."""
    return column == values[0] if len(values) == 1 else column.in_(values)
