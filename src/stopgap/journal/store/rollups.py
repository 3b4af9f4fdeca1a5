"""Roll-ups: how many answers there were, and how they are spread, counted as records come in."""

from collections import Counter

from sqlalchemy import Connection

from stopgap.journal.record import Record
from stopgap.journal.spread import bin_of
from stopgap.journal.store.names import MICROS, Names
from stopgap.journal.store.rows import add_rows
from stopgap.journal.store.tables import COUNTS, SPREADS
from stopgap.journal.terms import members, number_of, word_number

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SECOND = 1_000_000
"""Microseconds."""


class Tally:
    """What some new records add to the roll-ups."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._counts: Counter[tuple[int, int]] = Counter()
        self._spreads: Counter[tuple[int, int, int, int, str | None]] = Counter()

    def count(self, record: Record) -> None:
        """Count a record."""
        source = self._names.source(record)
        self._counts[start_of(record.at // SECOND, MINUTE), source] += 1
        hour = start_of(record.at // SECOND, HOUR)
        self._spreads[hour, MICROS, source, bin_of(record.micros), None] += 1
        for name, value in members(record.output).items():
            if (place := place_of(value)) is not None:
                field = self._names.field(record.contract, "output", name)
                self._spreads[hour, field, source, *place] += 1

    def save(self, connection: Connection) -> None:
        """Add all of it to what has been counted before."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for (minute, source), answers in self._counts.items():
            for width in (MINUTE, HOUR, DAY):
                counts[width, start_of(minute, width), source] += answers
        spreads: Counter[tuple[int, int, int, int, int, str | None]] = Counter()
        for (hour, field, source, place, word), answers in self._spreads.items():
            for width in (HOUR, DAY):
                spreads[width, start_of(hour, width), field, source, place, word] += answers
        for table, counted in ((COUNTS, counts), (SPREADS, spreads)):
            rows = [(*key, answers) for key, answers in counted.items()]
            add_rows(connection, table, rows, total="answers")


def start_of(second: int, width: int) -> int:
    """Tell when the step of time began that a moment lies in, all in seconds since 1970."""
    return second // width * width


def place_of(value: object) -> tuple[int, str | None] | None:
    """Tell the bin of an output, and its word if it is none of a number."""
    if isinstance(value, bool | str):
        word = value if isinstance(value, str) else str(value).lower()
        return int(word_number(word)), word
    number = number_of(value)
    return None if number is None else (bin_of(number), None)
