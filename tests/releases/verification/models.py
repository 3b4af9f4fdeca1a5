"""Models for MadCompany's contract that verification must tell apart from good ones."""

import ctypes
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stopgap.contracts.madcompany import Sales

LIMIT, END = 1_000, 2**30
"""Sellers above and below which some of these go wrong: numbers that an even draw never meets, as
the first calls of a model do, by which it is loaded."""


def many(row: Sales) -> bool:
    """Tell whether a model is to go wrong over a row."""
    return LIMIT < row.seller_available < END


def good(row: Sales) -> int:
    """Keep the contract, whatever is asked."""
    return 2000 + (row.seller_available * 7 + row.customer_visiting_website) % 3001


def above(bad: Callable[[], Any]) -> Callable[[Sales], Any]:
    """Make a model that goes wrong for many sellers."""
    return lambda row: bad() if many(row) else good(row)


def _raise() -> None:
    raise ValueError("too many sellers")


raises = above(_raise)
hangs = above(lambda: time.sleep(1_000))
segfaults = above(lambda: ctypes.string_at(0))
exits = above(lambda: os._exit(0))
not_a_number = above(lambda: float("nan"))
infinite = above(lambda: float("inf"))
text = above(lambda: "3000")
out_of_range = above(lambda: 5001)


def always_wrong(_row: Sales) -> int:
    """Never keep the contract."""
    return 0


def always_raises(row: Sales) -> int:
    """Answer nothing, ever."""
    raise ValueError(row.month)


def moody(_row: Sales) -> int:
    """Answer the same question differently each time."""
    return random.randint(2000, 5000)


MONTHS = {"january", "february", "march", "april", "may", "june", "july", "august"}
CODES = {month: 200 * place for place, month in enumerate(MONTHS)}


def unordered(row: Sales) -> int:
    """Count months by the order of a set, which is another in each process."""
    return 2000 + CODES.get(row.month, 1700)


memo: dict[int, int] = {}


def remembers(row: Sales) -> int:
    """Keep answers by fewer inputs than they come of."""
    return memo.setdefault(row.seller_available % 8, good(row))


def dies_in_another(row: Sales) -> int:
    """End the process over many sellers, but for the first process that there is."""
    died = Path(os.environ["DIED"])
    if not died.exists():
        died.write_text(str(os.getpid()))
    if many(row) and died.read_text() != str(os.getpid()):
        os._exit(3)
    return good(row)


class LoadedOnce:
    """Can be made once."""

    def __init__(self) -> None:
        Path(os.environ["DIED"]).touch(exist_ok=False)

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer as a good one."""
        return [good(row) for row in rows]


class SlowlyMade:
    """Takes three seconds to be made."""

    def __init__(self) -> None:
        time.sleep(3.0)

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer as a good one."""
        return [good(row) for row in rows]


class Crowded:
    """Answers otherwise among others."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer with how many were asked at once."""
        return [2000 + len(rows) for _ in rows]


class TooFew:
    """Forgets the last row of a batch."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer all but the last."""
        return [good(row) for row in rows][: max(1, len(rows) - 1)]


class Tiring:
    """Is wrong from the second batch on, and then slow for whoever asks again."""

    def __init__(self) -> None:
        self._batches = 0

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer in range, until there were two batches: the first is no one's answer yet."""
        tired = self._batches > 1
        if tired and len(rows) == 1:
            time.sleep(0.5)
        self._batches += len(rows) > 8  # as many as it is loaded by
        return [0 if self._batches > 1 else good(row) for row in rows]


class Leisurely:
    """Is slow once it has answered three hundred."""

    def __init__(self) -> None:
        self._answered = 0

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, and rest if it was much."""
        self._answered += len(rows)
        if self._answered > 320:
            time.sleep(1.0)
        return [good(row) for row in rows]


class Slow:
    """Takes as long for each row, alone or not."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer in its own time."""
        time.sleep(0.012 * len(rows))
        return [good(row) for row in rows]


class Leaking:
    """Keeps a megabyte for each call."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, and forget nothing."""
        self._kept.append(os.urandom(2**20))
        return [good(row) for row in rows]


class Scratch:
    """Keeps room to reckon in from its first large batch on, and never more."""

    def __init__(self) -> None:
        self._room = b""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, with more room than rows need alone."""
        if len(rows) > 8 and not self._room:  # as many as it is loaded by
            self._room = os.urandom(48 * 2**20)
        return [good(row) for row in rows]


class Greedy:
    """Takes as much memory for each row, and gives it back."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, once it was seen how much that is."""
        taken = [b"x" * 24 * 2**20 for _ in rows]
        time.sleep(0.6 if len(rows) > 8 else 0)
        return [good(row) for row in rows][: len(taken)]


class DiesOnce:
    """Ends its process over one large batch, and over none in the next process."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, unless it is the first time."""
        died = Path(os.environ["DIED"])
        if len(rows) > 8 and not died.exists():  # as many as it is loaded by
            died.touch()
            os._exit(3)
        return [good(row) for row in rows]


class DiesOnceAlone:
    """Ends its process over the first row that it is asked alone, and over none in the next."""

    def __init__(self) -> None:
        self._loaded = False

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, unless it is the first time."""
        died = Path(os.environ["DIED"])
        self._loaded = self._loaded or len(rows) > 8  # as many as it is loaded by
        if self._loaded and len(rows) == 1 and not died.exists():
            died.touch()
            os._exit(3)
        return [good(row) for row in rows]


class DiesOnceTimed:
    """Ends its process over a large batch that it has answered before, as latency is measured."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer three times: when it is observed, asked again, and timed first."""
        died = Path(os.environ["DIED"])
        self._times[repr(rows)] += 1
        if len(rows) > 8 and self._times[repr(rows)] > 3 and not died.exists():
            died.touch()
            os._exit(3)
        return [good(row) for row in rows]


def fatal_as_shown(row: Sales) -> int:
    """End the process over the inputs that people are shown, which no draw comes to."""
    if (row.seller_available, row.month, row.customer_visiting_website) == (20, "january", 100):
        os._exit(3)
    return good(row)


class SlowAtFirst:
    """Takes too long for its first large batch, and for none after."""

    def __init__(self) -> None:
        self._warm = False

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, at last."""
        if len(rows) > 8 and not self._warm:  # as many as it is loaded by
            self._warm = True
            time.sleep(2.5)
        return [good(row) for row in rows]


class Wordy:
    """Says so much for each row that a batch is more than anybody reads."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[str]:
        """Answer at length."""
        return ["x" * 2**18 for _ in rows]


class Hungry:
    """Takes gigabytes at once."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer at last."""
        if any(map(many, rows)):
            taken = [b"x" * 2**24 for _ in range(400)]
            time.sleep(len(taken))
        return [good(row) for row in rows]


class NotMade:
    """Cannot even be made."""

    def __init__(self) -> None:
        raise OSError("weights are missing")


def raises_before_it_hangs(row: Sales) -> int:
    """Raise for few visitors, so that hardly any batch comes to the sellers that hang it."""
    if row.customer_visiting_website < LIMIT:
        raise ValueError("too few visitors")
    if many(row):
        time.sleep(1_000)
    return good(row)


class AtFirst:
    """Answers out of range when it sees inputs for the first time, and well ever after."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer by what was seen."""
        asked = [repr(row) for row in rows]
        outputs = [3000 if each in self._seen else 9999 for each in asked]
        self._seen.update(asked)
        return outputs
