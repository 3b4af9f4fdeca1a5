"""The walk: through the blocks, from the newest, to the records that have all that is wanted.

It goes in steps, as the plan says: to the newest records that the leading term has, which are held
against the rest; or, when that was in vain for long, through whole blocks of the index.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    intersect,
    literal,
    select,
    true,
)

from stopgap.journal.store.planning import Plan, plan_for
from stopgap.journal.store.tables import BLOCKS, RECORDS, SOURCES, TERMS
from stopgap.journal.store.wanted import Span, Wanted

SPARE = 1.25
"""How many more records the next step leads to than will probably be needed."""

STEP_MAX = 4_000

MANY = 1_000
"""Records that are looked at before whole blocks are read through in the index."""

LOOKS = 200
"""Records that one statement looks at."""

BLOCKS_MAX = 8
"""Blocks that are read through at once."""


def positions(
    connection: Connection, wanted: Sequence[Wanted], span: Span, limit: int
) -> Sequence[int]:
    """Find the newest records that have every wanted term, the newest first.

    Args:
        wanted: At least one.
        limit: Records at most.
    """
    plan = plan_for(connection, wanted, span, limit)
    found: list[int] = []
    left: Span | None = span
    seen, step, at_once = 0, limit, 1
    while left and len(found) < limit:
        missing = limit - len(found)
        if seen >= MANY:  # in vain: among older records something else may be rare
            plan = plan_for(connection, wanted, left, limit)
        if seen >= MANY and plan.near:
            most = None if plan.apart else missing
            led, left = _read_through(connection, plan, left, at_once, most)
            found += _looked_at(connection, led, plan.apart, missing)
            at_once = min(2 * at_once, BLOCKS_MAX)
        else:
            led, left = _led(connection, plan, left, step)
            found += _looked_at(connection, led, [*plan.near, *plan.apart], missing)
            seen += step
            step = min(ceil(SPARE * (limit - len(found)) * seen / max(1, len(found))), STEP_MAX)
    return found[:limit]


def blocks_with(connection: Connection, wanted: Wanted) -> Sequence[int]:
    """Tell the blocks that have a term."""
    terms = TERMS.alias()
    one = select(literal(1)).where(terms.c.block == BLOCKS.c.block, wanted.met(terms)).limit(1)
    there = one.correlate(BLOCKS).scalar_subquery().is_not(None)
    return connection.scalars(select(BLOCKS.c.block).where(there)).all()


def _led(
    connection: Connection, plan: Plan, span: Span, limit: int
) -> tuple[Sequence[int], Span | None]:
    """Find the newest records that have the leading term, and the values beside it.

    Returns:
        Them, and what is left of the span.
    """
    column = RECORDS.c.position
    newest = select(column).where(span.around(column)).order_by(column.desc()).limit(limit)
    if plan.leading is not None:
        newest = _newest(connection, plan.leading, plan.beside, span, limit)
    led = connection.scalars(newest).all()
    return led, replace(span, high=led[-1]) if len(led) == limit else None


def _read_through(
    connection: Connection, plan: Plan, span: Span, at_once: int, most: int | None
) -> tuple[Sequence[int], Span | None]:
    """Find what the newest blocks have of all that the index tells: so many at most.

    Returns:
        Records, and what is left of the span.
    """
    newest = select(BLOCKS.c.first).where(span.blocks()).order_by(BLOCKS.c.first.desc())
    firsts = connection.scalars(newest.limit(at_once)).all()
    last = len(firsts) < at_once
    within = span if last else replace(span, low=max(firsts[-1], span.low))
    blocks = select(BLOCKS.c.block).where(within.blocks())  # once more: they may have been merged
    each_alone = []
    for each in plan.indexed:
        terms = TERMS.alias()
        there = terms.c.block.in_(blocks), within.around(terms.c.position)
        each_alone.append(select(terms.c.position).where(each.met(terms), *there))
    position = intersect(*each_alone).subquery().c.position
    newest_first = select(position).order_by(position.desc()).limit(most)
    led = connection.scalars(newest_first).all()
    return led, replace(span, high=within.low) if within.low > span.low else None


def _newest(
    connection: Connection, leading: Wanted, beside: Sequence[Wanted], span: Span, limit: int
) -> Select[int]:
    walk = _walk if connection.dialect.name == "sqlite" else _walk_each
    return walk(leading, beside, span, limit)


def _walk(leading: Wanted, beside: Sequence[Wanted], span: Span, limit: int) -> Select[int]:
    """Say it to SQLite, which walks the blocks, the newest first, and stops when it has enough.

    No index finds a number by a sum, so it begins with the blocks, and in their own order; then it
    knows that a value's records need no sorting.
    """
    found = _of_block(BLOCKS.c.block + 0, leading, beside, span)
    within = BLOCKS.c.first + 0 < span.high, BLOCKS.c.last >= span.low
    newest = BLOCKS.c.block.desc(), found.selected_columns.position.desc()
    return found.where(*within).order_by(*newest).limit(limit)


def _walk_each(leading: Wanted, beside: Sequence[Wanted], span: Span, limit: int) -> Select[int]:
    """Say it to PostgreSQL, so that it walks the blocks, too, whatever it knows of the tables.

    It can begin with nothing but the blocks, since what is asked of each has an end of its own. Of
    tables that had just been filled it knew nothing, and joined half a million terms with each.
    """
    walked = select(BLOCKS.c.block, BLOCKS.c.first).where(span.blocks())
    blocks = walked.order_by(BLOCKS.c.first.desc()).subquery()
    of_block = _of_block(blocks.c.block, leading, beside, span)
    newest = of_block.order_by(of_block.selected_columns.position.desc())
    found = newest.limit(limit).lateral()
    return (
        select(found.c.position)
        .select_from(blocks.join(found, true()))
        .order_by(blocks.c.first.desc(), found.c.position.desc())
        .limit(limit)
    )


def _of_block(
    block: ColumnElement[int], leading: Wanted, beside: Sequence[Wanted], span: Span
) -> Select[int]:
    """Say which records of a block have the leading term, and the values beside it."""
    terms = TERMS.alias()
    joined: FromClause = terms
    for each in beside:
        also = TERMS.alias()  # found by sums, so that it does not lead
        same = also.c.block == terms.c.block + 0, also.c.position == terms.c.position + 0
        joined = joined.join(also, and_(*same, each.met(also)))
    position = terms.c.position
    met = terms.c.block == block, leading.met(terms), span.around(position)
    return select(position).select_from(joined).where(*met)


def _looked_at(
    connection: Connection, led: Sequence[int], wanted: Sequence[Wanted], enough: int
) -> Sequence[int]:
    """Look at records themselves until enough have all that is wanted; tell which have."""
    if not wanted:
        return led
    held: list[int] = []
    for start in range(0, len(led), LOOKS):
        looks = (
            select(RECORDS, SOURCES.c.contract)
            .join(SOURCES, SOURCES.c.id == RECORDS.c.source)
            .where(RECORDS.c.position.in_(led[start : start + LOOKS]))
            .order_by(RECORDS.c.position.desc())
        )
        rows = connection.execute(looks)
        held += [row.position for row in rows if all(each.holds(row) for each in wanted)]
        if len(held) >= enough:
            break
    return held
