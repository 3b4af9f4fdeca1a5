"""The plan: which of several wanted terms leads, and how what it leads to is held against the rest.

What fewest records have leads. Values are seen in the index, next to the leading one, and ranges on
the record itself, or in the index as well where that is less to read. So a question takes as long
as what leads is common, whatever else is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from sqlalchemy import ColumnElement, Connection, func, select

from stopgap.journal.store.tables import BLOCK_RECORDS, BLOCKS, TERMS
from stopgap.journal.store.wanted import Span, Wanted

SORTED = 2 * BLOCK_RECORDS
"""A range's records are sorted in each block of so many, which takes a millisecond at most."""

LOOK = 20
"""Terms that are read in the index while one record is looked at."""


BESIDE_MAX = 8
"""Values that are seen in the index with each step: a database joins only so many tables, and the
rarest few leave little."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to find what has all that is wanted."""

    leading: Wanted | None  # None: the newest records are looked at, whatever they are
    beside: Sequence[Wanted] = ()  # values, seen next to it in the index
    near: Sequence[Wanted] = ()  # what the index tells of many records in less time than they do
    apart: Sequence[Wanted] = ()  # what is seen on the records themselves

    @property
    def indexed(self) -> Sequence[Wanted]:
        """All that the index tells in less time, where many records are looked at."""
        return [each for each in (self.leading, *self.beside, *self.near) if each is not None]


def plan_for(connection: Connection, wanted: Sequence[Wanted], span: Span, limit: int) -> Plan:
    """Plan by how many records of a block have each term: of the larger of the newest two.

    Ranges alone may be so wide that it takes less to look at the newest records than to sort what
    is in a large block.
    """
    if len(wanted) == 1 and wanted[0].exact:
        return Plan(leading=wanted[0])
    newest = select(BLOCKS).where(span.blocks()).order_by(BLOCKS.c.first.desc()).limit(2)
    block = max(connection.execute(newest), key=lambda row: row.records, default=None)
    if block is None or (len(wanted) == 1 and block.records <= SORTED):
        return Plan(leading=wanted[0], apart=wanted[1:])
    many = isqrt(LOOK * limit * block.records)
    counts = connection.execute(select(*(_count(each, block.block, many) for each in wanted))).one()
    ranked = sorted(zip(counts, wanted, strict=True), key=lambda it: (it[0], not it[1].exact))
    (fewest, leading), *others = ranked
    if fewest == many and not leading.exact and block.records > SORTED:
        return Plan(leading=None, near=wanted)
    beside = [each for _, each in others if each.exact][:BESIDE_MAX]
    rest = [(count, each) for count, each in others if each not in beside]
    near = [each for count, each in rest if count < LOOK * max(1, fewest)]
    return Plan(
        leading=leading,
        beside=beside,
        near=near,
        apart=[each for _, each in rest if each not in near],
    )


def _count(wanted: Wanted, block: int, most: int) -> ColumnElement[int]:
    """Say how many records of a block have a term, as far as they are counted."""
    terms = TERMS.alias()
    some = select(terms.c.position).where(terms.c.block == block, wanted.met(terms)).limit(most)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()
