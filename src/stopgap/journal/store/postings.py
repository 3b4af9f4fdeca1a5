"""The inverted index's postings, which are the rows of `TERMS`: each way in which they are read.

Here are statements only: `planning` and `walking` decide which of them is sent.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    func,
    intersect,
    literal,
    select,
    true,
)

from stopgap.journal.store.predicates import PositionRange, Predicate
from stopgap.journal.store.tables import BLOCKS, TERMS


def count(predicate: Predicate, block: int, most: int) -> ColumnElement[int]:
    """Count a predicate's postings in a block, up to `most`."""
    terms = TERMS.alias()
    in_block = terms.c.block == block, predicate.matches(terms)
    some = select(terms.c.position).where(*in_block).limit(most)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


def blocks_with(predicate: Predicate) -> Select[int]:
    """Select the numbers of the blocks that have a posting of a predicate."""
    terms = TERMS.alias()
    in_block = terms.c.block == BLOCKS.c.block, predicate.matches(terms)
    one = select(literal(1)).where(*in_block).limit(1).correlate(BLOCKS)
    return select(BLOCKS.c.block).where(one.scalar_subquery().is_not(None))


def intersection(
    predicates: Sequence[Predicate], span: PositionRange, limit: int | None
) -> Select[int]:
    """Select the newest positions of a span that match all of some predicates, the newest first.

    Its blocks are looked up in the same statement, since they may be merged between two.
    """
    blocks = select(BLOCKS.c.block).where(span.blocks())
    matching = []
    for predicate in predicates:
        terms = TERMS.alias()
        in_span = terms.c.block.in_(blocks), span.around(terms.c.position)
        matching.append(select(terms.c.position).where(predicate.matches(terms), *in_span))
    position = intersect(*matching).subquery().c.position
    return select(position).order_by(position.desc()).limit(limit)


def scan(
    dialect: str, driving: Predicate, joined: Sequence[Predicate], span: PositionRange, limit: int
) -> Select[int]:
    """Select the newest positions of a span that match all of some predicates, the newest first.

    It is said to each database so that it walks the blocks from the newest, reads the driving
    predicate's postings there, seeks each of them among the joined ones', and stops at the limit.
    """
    scan_by = _scan_by_sqlite if dialect == "sqlite" else _scan_by_postgresql
    return scan_by(driving, joined, span, limit)


def _scan_by_sqlite(
    driving: Predicate, joined: Sequence[Predicate], span: PositionRange, limit: int
) -> Select[int]:
    """Begin with the blocks, in the order of their key: then a posting list needs no sorting."""
    found = _in_block(_unindexed(BLOCKS.c.block), driving, joined, span)
    within = _unindexed(BLOCKS.c.first) < span.high, BLOCKS.c.last >= span.low
    newest = BLOCKS.c.block.desc(), found.selected_columns.position.desc()
    return found.where(*within).order_by(*newest).limit(limit)


def _scan_by_postgresql(
    driving: Predicate, joined: Sequence[Predicate], span: PositionRange, limit: int
) -> Select[int]:
    """Begin with the blocks: it cannot do otherwise, as what is asked of each has its own limit.

    Of tables that had just been filled it has no statistics, and once joined half a million terms
    with each block.
    """
    walked = select(BLOCKS.c.block, BLOCKS.c.first).where(span.blocks())
    blocks = walked.order_by(BLOCKS.c.first.desc()).subquery()
    in_block = _in_block(blocks.c.block, driving, joined, span)
    newest = in_block.order_by(in_block.selected_columns.position.desc())
    found = newest.limit(limit).lateral()
    return (
        select(found.c.position)
        .select_from(blocks.join(found, true()))
        .order_by(blocks.c.first.desc(), found.c.position.desc())
        .limit(limit)
    )


def _in_block(
    block: ColumnElement[int], driving: Predicate, joined: Sequence[Predicate], span: PositionRange
) -> Select[int]:
    """Select what one block has for a scan, in no order.

    A joined predicate is exact, so it has one posting of a record at most: the join is a semi-join.
    """
    terms = TERMS.alias()
    source: FromClause = terms
    for predicate in joined:
        also = TERMS.alias()
        same_block = also.c.block == _unindexed(terms.c.block)
        same_record = also.c.position == _unindexed(terms.c.position)
        source = source.join(also, and_(same_block, same_record, predicate.matches(also)))
    position = terms.c.position
    met = terms.c.block == block, driving.matches(terms), span.around(position)
    return select(position).select_from(source).where(*met)


def _unindexed(column: ColumnElement[int]) -> ColumnElement[int]:
    """Hide a column from the database's planner: no index is searched by a sum."""
    return column + 0
