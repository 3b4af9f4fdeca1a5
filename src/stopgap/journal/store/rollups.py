"""Roll-ups: how many answers there were, and how they are spread, counted as records come in."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection

from stopgap.journal.record import Record
from stopgap.journal.spread import bin_of
from stopgap.journal.store.names import MICROS
from stopgap.journal.store.rows import add_rows
from stopgap.journal.store.tables import COUNTS, SPREADS
from stopgap.journal.terms import number_of, word_number

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SECOND = 1_000_000
"""Microseconds."""


class Additions:
    """What some new records add to the roll-ups."""

    def __init__(self) -> None:
        self._answers: list[tuple[int, int]] = []
        self._bins: list[tuple[int, int, int, int, str | None]] = []

    def count(self, record: Record, source: int, outputs: Iterable[tuple[int, object]]) -> None:
        """Count a record.

        Args:
            source: Its number.
            outputs: The number of each field of its output, and the value.
        """
        second = record.at // SECOND
        self._answers.append((start_of(second, MINUTE), source))
        hour = start_of(second, HOUR)
        self._bins.append((hour, MICROS, source, bin_of(record.micros), None))
        for field, value in outputs:
            if (found := bin_and_word(value)) is not None:
                self._bins.append((hour, field, source, *found))

    def save(self, connection: Connection) -> None:
        """Add all of it to what has been counted before."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for (minute, source), answers in Counter(self._answers).items():
            for width in (MINUTE, HOUR, DAY):
                counts[width, start_of(minute, width), source] += answers
        spreads: Counter[tuple[int, int, int, int, int, str | None]] = Counter()
        for (hour, field, source, place, word), answers in Counter(self._bins).items():
            for width in (HOUR, DAY):
                spreads[width, start_of(hour, width), field, source, place, word] += answers
        for table, counted in ((COUNTS, counts), (SPREADS, spreads)):
            rows = [(*key, answers) for key, answers in counted.items()]
            add_rows(connection, table, rows, total="answers")


def start_of(second: int, width: int) -> int:
    """Tell when the step of time began that a moment lies in, all in seconds since 1970."""
    return second // width * width


def bin_and_word(value: object) -> tuple[int, str | None] | None:
    """Tell the bin of an output, and its word if it is none of a number."""
    if isinstance(value, bool | str):
        word = value if isinstance(value, str) else str(value).lower()
        return int(word_number(word)), word
    number = number_of(value)
    return None if number is None else (bin_of(number), None)
