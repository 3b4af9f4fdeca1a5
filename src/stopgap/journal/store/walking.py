"""The walk: it carries a plan out, from the newest block to the oldest, until it has enough.

It goes in steps: index scans first; then, if they were in vain for long, index intersections. Each
step yields candidates, on which the residual predicates are tested. `planning` tells the idea.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from sqlalchemy import Connection, Select, select

from stopgap.journal.store import postings
from stopgap.journal.store.planning import QueryPlan, plan_for
from stopgap.journal.store.predicates import PositionRange, Predicate
from stopgap.journal.store.tables import BLOCKS, RECORDS, SOURCES

SPARE = 1.25
"""A scan asks for so many times as many candidates as will probably be needed."""

SCAN_MAX = 4_000
"""Candidates that a scan asks for at most, but for the first: that one asks for a whole page."""

REPLAN_AFTER = 1_000
"""Candidates that scans ask for, all in all, before each further step is planned anew."""

FILTER_BATCH = 200
"""Records that one statement fetches at most, to be held against what is asked for."""

BLOCKS_MAX = 8
"""Blocks that an intersection reads at most: the first reads one, and each next twice as many."""


def positions(
    connection: Connection, predicates: Sequence[Predicate], span: PositionRange, limit: int
) -> Sequence[int]:
    """Find the newest records of a span that match all predicates, the newest first.

    Args:
        predicates: At least one.
        limit: Records at most.
    """
    walk = _Walk(connection, span, limit)
    plan = plan_for(connection, predicates, span, limit)
    while walk.unfinished and walk.scanned < REPLAN_AFTER:
        walk.scan(plan)
    while walk.unfinished:
        plan = plan_for(connection, predicates, walk.left, limit)  # older records may be unlike
        if plan.intersectable:
            walk.intersect(plan)
        else:
            walk.scan(plan)
    return walk.found[:limit]


class _Walk:
    """How far a walk has come."""

    def __init__(self, connection: Connection, span: PositionRange, limit: int) -> None:
        self.found: list[int] = []
        self.left = span
        self.scanned = 0
        self._connection = connection
        self._limit = limit
        self._at_end = False
        self._scan_size = limit
        self._blocks = 1

    @property
    def unfinished(self) -> bool:
        """Whether records are missing, and there may be some in what is left."""
        return self._missing > 0 and not self._at_end

    @property
    def _missing(self) -> int:
        return self._limit - len(self.found)

    def scan(self, plan: QueryPlan) -> None:
        """Make a step by an index scan; the share that has matched so far sizes the next one."""
        size = self._scan_size
        statement = _candidates(self._connection.dialect.name, plan, self.left, size)
        candidates = self._connection.scalars(statement).all()
        self._keep(candidates, plan.residual)
        self._at_end = len(candidates) < size
        if not self._at_end:
            self.left = replace(self.left, high=candidates[-1])
        self.scanned += size
        needed = SPARE * self._missing * self.scanned / max(1, len(self.found))
        self._scan_size = min(ceil(needed), SCAN_MAX)

    def intersect(self, plan: QueryPlan) -> None:
        """Make a step by an index intersection; the next is of twice as many blocks."""
        within = self._newest_blocks()
        limit = None if plan.record_only else self._missing
        statement = postings.intersection(plan.intersected, within, limit)
        self._keep(self._connection.scalars(statement).all(), plan.record_only)
        self._at_end = within.low == self.left.low
        self.left = replace(self.left, high=within.low)
        self._blocks = min(2 * self._blocks, BLOCKS_MAX)

    def _newest_blocks(self) -> PositionRange:
        """Tell what part of what is left lies in its newest blocks."""
        newest = select(BLOCKS.c.first).where(self.left.blocks()).order_by(BLOCKS.c.first.desc())
        firsts = self._connection.scalars(newest.limit(self._blocks)).all()
        if len(firsts) < self._blocks:
            return self.left
        return replace(self.left, low=max(firsts[-1], self.left.low))

    def _keep(self, candidates: Sequence[int], filters: Sequence[Predicate]) -> None:
        self.found += _filtered(self._connection, candidates, filters, self._missing)


def _candidates(dialect: str, plan: QueryPlan, span: PositionRange, limit: int) -> Select[int]:
    """Select the candidates of a scan: where nothing drives it, the newest records."""
    if plan.driving is not None:
        return postings.scan(dialect, plan.driving, plan.joined, span, limit)
    column = RECORDS.c.position
    return select(column).where(span.around(column)).order_by(column.desc()).limit(limit)


def _filtered(
    connection: Connection, candidates: Sequence[int], filters: Sequence[Predicate], enough: int
) -> Sequence[int]:
    """Fetch candidates, the newest first, until enough match all filters; tell which match."""
    if not filters:
        return candidates
    matching: list[int] = []
    for start in range(0, len(candidates), FILTER_BATCH):
        fetched = (
            select(RECORDS, SOURCES.c.contract)
            .join(SOURCES, SOURCES.c.id == RECORDS.c.source)
            .where(RECORDS.c.position.in_(candidates[start : start + FILTER_BATCH]))
            .order_by(RECORDS.c.position.desc())
        )
        rows = connection.execute(fetched)
        matching += [row.position for row in rows if all(each.holds(row) for each in filters)]
        if len(matching) >= enough:
            break
    return matching
