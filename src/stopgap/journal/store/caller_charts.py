"""One caller's charts, counted from the newest of its records."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from stopgap.journal.filters import Filters
from stopgap.journal.spread import Bar, drawn
from stopgap.journal.store.finding import Glance, glances
from stopgap.journal.store.rollups import SECOND, bin_and_word, start_of
from stopgap.journal.summary import Charts, Point, Timeline
from stopgap.journal.terms import members, moment_of

ROWS = 4_000
"""Records that are looked at, whatever contract or release they are of: they are found by their
caller and time alone, which is quicker than by two or three terms at once."""


def count(
    connection: Connection, filters: Filters, width: int, *, contract: str | None, name: str
) -> Charts:
    """Count a caller's answers over time, in steps of so many seconds, and by what they were."""
    its = Filters(caller=filters.caller, since=filters.since, until=filters.until)
    found = glances(connection, its, ROWS)
    chosen = [
        each
        for each in found
        if filters.contract in {None, each.contract} and filters.release in {None, each.release}
    ]
    of_one = [each for each in chosen if contract in {None, each.contract}]
    return Charts(
        timeline=_timeline(chosen, width, whole=len(found) < ROWS), spread=_spread(of_one, name)
    )


def _timeline(chosen: Sequence[Glance], width: int, *, whole: bool) -> Timeline:
    counts = Counter(
        (start_of(moment_of(each.position) // SECOND, width), each.contract, each.release)
        for each in chosen
    )
    points = [
        Point(
            start=datetime.fromtimestamp(start, UTC),
            contract=contract,
            release=release,
            answers=answers,
        )
        for (start, contract, release), answers in sorted(counts.items())
    ]
    return Timeline(seconds=width, points=points, whole=whole)


def _spread(chosen: Sequence[Glance], name: str) -> Sequence[Bar]:
    numbers: Counter[int] = Counter()
    words: Counter[str] = Counter()
    for each in chosen:
        if (found := bin_and_word(members(each.output.encode()).get(name))) is not None:
            number, word = found
            if word is None:
                numbers[number] += 1
            else:
                words[word] += 1
    return drawn(numbers, words)
