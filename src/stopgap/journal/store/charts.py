"""What charts show, from the roll-ups: as fast for ten million records as for ten thousand.

Roll-ups do not tell callers apart, since nearly each record would have one of its own then: see
`caller_charts`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from stopgap.journal.filters import Filters
from stopgap.journal.spread import BARS, Bar, drawn, quantile
from stopgap.journal.store import caller_charts
from stopgap.journal.store.names import MICROS
from stopgap.journal.store.predicates import source_ids
from stopgap.journal.store.rollups import DAY, HOUR, MINUTE
from stopgap.journal.store.tables import COUNTS, FIELDS, SOURCES, SPREADS
from stopgap.journal.summary import Charts, Point, ReleaseStats, Timeline

STEPS_MAX = 500
"""Steps of a timeline; a longer time is shown in wider ones."""

SPREAD_STEPS_MAX = 72
"""Steps that a spread is summed up from, each with some hundred bins."""


def count(
    connection: Connection, filters: Filters, now: datetime, *, contract: str | None, name: str
) -> Charts:
    """Count answers over time, and by what they were."""
    fine = filters.caller is not None or _has_hours(connection, filters)
    width = _width(filters, now, (MINUTE, HOUR, DAY) if fine else (DAY,), STEPS_MAX)
    if filters.caller is not None:
        return caller_charts.count(connection, filters, width, contract=contract, name=name)
    of_one = replace(filters, contract=contract or filters.contract)
    spread_width = _width(filters, now, (HOUR, DAY) if fine else (DAY,), SPREAD_STEPS_MAX)
    return Charts(
        timeline=_timeline(connection, filters, width),
        spread=_spread(connection, of_one, name, spread_width),
        spread_seconds=spread_width,
    )


def _timeline(connection: Connection, filters: Filters, width: int) -> Timeline:
    statement = (
        select(
            COUNTS.c.start,
            SOURCES.c.contract,
            SOURCES.c.release,
            func.sum(COUNTS.c.answers).label("answers"),
        )
        .join(SOURCES, SOURCES.c.id == COUNTS.c.source)
        .where(_chosen(COUNTS, filters, width))
        .group_by(COUNTS.c.start, SOURCES.c.contract, SOURCES.c.release)
        .order_by(COUNTS.c.start, SOURCES.c.contract, SOURCES.c.release)
    )
    points = [
        Point(
            start=datetime.fromtimestamp(row.start, UTC),
            contract=row.contract,
            release=row.release,
            answers=int(row.answers),
        )
        for row in connection.execute(statement)
    ]
    return Timeline(seconds=width, points=points)


def _spread(connection: Connection, filters: Filters, name: str, width: int) -> Sequence[Bar]:
    fields = select(FIELDS.c.id).where(FIELDS.c.part == "output", FIELDS.c.name == name)
    counted = _chosen(SPREADS, filters, width), SPREADS.c.field.in_(fields)
    words, others = _words(connection, *counted)
    return drawn(_numbers(connection, *counted), words, others)


def _numbers(connection: Connection, *counted: ColumnElement[bool]) -> dict[int, int]:
    place = SPREADS.c.bin
    answers = func.sum(SPREADS.c.answers).label("answers")
    bins = select(place, answers).where(*counted, SPREADS.c.word.is_(None)).group_by(place)
    return {row.bin: int(row.answers) for row in connection.execute(bins)}


def _words(
    connection: Connection, *counted: ColumnElement[bool]
) -> tuple[dict[str, int], tuple[int, int]]:
    """Count the words with the most answers, as many as are drawn: there may be millions.

    Of the others, it is told how many there are, and how many answers.
    """
    word = SPREADS.c.word
    answers = func.sum(SPREADS.c.answers).label("answers")
    whole = func.count().over().label("words"), func.sum(answers).over().label("total")
    words = select(word, answers, *whole).where(*counted, word.is_not(None)).group_by(word)
    by_code = word if connection.dialect.name == "sqlite" else word.collate("C")
    most = words.order_by(answers.desc(), by_code).limit(BARS)
    found = connection.execute(most).all()
    shown = {row.word: int(row.answers) for row in found}
    if not found:
        return shown, (0, 0)
    rest = int(found[0].total) - sum(shown.values())
    return shown, (found[0].words - len(found), rest)


def stats(connection: Connection, filters: Filters, now: datetime) -> Sequence[ReleaseStats]:
    """Sum up each contract's releases: how many answers, and how long they took."""
    widths = (HOUR, DAY) if _has_hours(connection, filters) else (DAY,)
    statement = (
        select(
            SOURCES.c.contract,
            SOURCES.c.release,
            SPREADS.c.bin,
            func.sum(SPREADS.c.answers).label("answers"),
        )
        .join(SOURCES, SOURCES.c.id == SPREADS.c.source)
        .where(
            _chosen(SPREADS, filters, _width(filters, now, widths, SPREAD_STEPS_MAX)),
            SPREADS.c.field == MICROS,
        )
        .group_by(SOURCES.c.contract, SOURCES.c.release, SPREADS.c.bin)
        .order_by(SOURCES.c.contract, SOURCES.c.release)
    )
    durations: dict[tuple[str, str], Counter[int]] = {}
    for row in connection.execute(statement):
        bins = durations.setdefault((row.contract, row.release), Counter())
        bins[row.bin] += int(row.answers)
    return [
        ReleaseStats(
            contract=contract,
            release=release,
            answers=bins.total(),
            median_micros=round(quantile(bins, 0.5)),
            p99_micros=round(quantile(bins, 0.99)),
        )
        for (contract, release), bins in durations.items()
    ]


def _has_hours(connection: Connection, filters: Filters) -> bool:
    """Tell whether the time that is asked for is counted in hours from its first answer on.

    Of old days only the counts by the day are kept.
    """
    days = select(func.min(COUNTS.c.start)).where(_chosen(COUNTS, filters, DAY))
    day = connection.scalar(days)
    if day is None:
        return True
    in_day = COUNTS.c.width == HOUR, COUNTS.c.start >= day, COUNTS.c.start < day + DAY
    return connection.scalar(select(COUNTS.c.start).where(*in_day).limit(1)) is not None


def _width(filters: Filters, now: datetime, widths: Sequence[int], most: int) -> int:
    """Tell the finest width in which the time that is asked for has not too many steps.

    A step that has begun is none too many: since three days ago, it is a little later by now.
    """
    if filters.since is None:
        return widths[-1]
    seconds = ((filters.until or now) - filters.since).total_seconds()
    return next((width for width in widths if seconds // width <= most), widths[-1])


def _chosen(table: Table, filters: Filters, width: int) -> ColumnElement[bool]:
    """Say which counts belong to the time, contract and release; steps at its ends are whole.

    Times are whole numbers here: PostgreSQL finds nothing by an index that it has to compare with a
    fraction.
    """
    conditions = [table.c.width == width]
    if filters.since is not None:
        conditions.append(table.c.start >= int(filters.since.timestamp()) // width * width)
    if filters.until is not None:
        conditions.append(table.c.start < ceil(filters.until.timestamp()))
    if filters.contract is not None or filters.release is not None:
        sources = source_ids(filters.contract, filters.release)
        conditions.append(table.c.source.in_(sources))
    return and_(*conditions)
