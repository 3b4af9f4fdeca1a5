"""Query planning: how a search uses each predicate, so that it reads as little as it can.

The terms are an inverted index that is cut into blocks of time. In each block an exact predicate
matches one *posting list*, which is in the order of position; a range matches many, which have to
be sorted together. A search is for the newest few records that match all of some predicates. There
are two ways to them:

- An *index scan* reads the newest postings of the *driving* predicate, the most selective one. It
  seeks each among those of other exact predicates (a semi-join), and tests what is left, the
  *residual* predicates, on the records that it fetches. It ends as soon as it has enough.
- An *index intersection* reads all postings that whole blocks have of several predicates, and
  fetches only what these have in common. It takes over where scans fetch in vain.

How selective a predicate is, is estimated by counting its postings in one recent block. Where even
the most selective one is a range too wide to be sorted, none drives: a scan then fetches the newest
records, whatever they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from sqlalchemy import Connection, Row, select

from stopgap.journal.store import postings
from stopgap.journal.store.predicates import PositionRange, Predicate
from stopgap.journal.store.tables import BLOCK_RECORDS, BLOCKS

SORTED_MAX = 2 * BLOCK_RECORDS
"""Records of a block whose postings are sorted without counting: a millisecond's work at most."""

FETCH_COST = 20
"""Postings that are read in the time in which one record is fetched and tested."""

JOINS_MAX = 8
"""Predicates that a scan seeks in the index: a database joins only so many tables, and the most
selective few leave little."""


@dataclass(frozen=True, kw_only=True)
class QueryPlan:
    """What each predicate of a search is used for."""

    driving: Predicate | None  # None: a scan fetches the newest records
    joined: Sequence[Predicate] = ()  # exact ones, which a scan seeks in the index
    intersectable: Sequence[Predicate] = ()  # residual in a scan, not in an intersection
    record_only: Sequence[Predicate] = ()  # residual in both: the index has too much of them

    @property
    def residual(self) -> Sequence[Predicate]:
        """What a scan tests on the records that it fetches."""
        return [*self.intersectable, *self.record_only]

    @property
    def intersected(self) -> Sequence[Predicate]:
        """What an intersection reads from the index; `record_only` is its residual."""
        driving = [] if self.driving is None else [self.driving]
        return [*driving, *self.joined, *self.intersectable]


def plan_for(
    connection: Connection, predicates: Sequence[Predicate], span: PositionRange, limit: int
) -> QueryPlan:
    """Plan the search for the newest records of a span.

    Args:
        predicates: At least one.
        limit: Records that are needed.
    """
    first, *others = predicates
    if first.exact and not others:
        return QueryPlan(driving=first)
    sample = _sample(connection, span)
    if sample is None or (sample.records <= SORTED_MAX and not others):
        return QueryPlan(driving=first, record_only=others)
    most = _break_even(sample.records, limit)
    counts = [postings.count(each, sample.block, most) for each in predicates]
    counted = zip(connection.execute(select(*counts)).one(), predicates, strict=True)
    ranked = sorted(counted, key=lambda pair: (pair[0], not pair[1].exact))
    fewest, driving = ranked[0]
    if fewest == most and not driving.exact and sample.records > SORTED_MAX:
        return QueryPlan(driving=None, intersectable=predicates)
    return _driven(ranked)


def _sample(connection: Connection, span: PositionRange) -> Row[Any] | None:
    """Choose the block to count in: the larger of the newest two, for one may have just begun."""
    newest = select(BLOCKS).where(span.blocks()).order_by(BLOCKS.c.first.desc()).limit(2)
    return max(connection.execute(newest), key=lambda block: block.records, default=None)


def _break_even(records: int, limit: int) -> int:
    """Tell how many postings of a block take as long to sort as a scan without a driving predicate.

    If `n` of a block's records match, such a scan fetches `limit * records / n` of them, which
    takes as long as to read `FETCH_COST` times as many postings; to sort is to read all `n`.
    """
    return isqrt(FETCH_COST * limit * records)


def _driven(ranked: Sequence[tuple[int, Predicate]]) -> QueryPlan:
    """Have the most selective predicate drive; `ranked` has it first, each with its postings."""
    (fewest, driving), *others = ranked
    joined = [each for _, each in others if each.exact][:JOINS_MAX]
    rest = [(count, each) for count, each in others if each not in joined]
    cheap = FETCH_COST * max(1, fewest)  # what it takes to fetch all that the driving one matches
    return QueryPlan(
        driving=driving,
        joined=joined,
        intersectable=[each for count, each in rest if count < cheap],
        record_only=[each for count, each in rest if count >= cheap],
    )
