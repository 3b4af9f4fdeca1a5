"""Accuracy: how far two releases' answers to the same requests were from what really came."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.values import breach

CERTAIN = NormalDist().inv_cdf(0.975)
"""Standard errors to either side, for an interval that holds 95 times in 100."""

ENOUGH = 30
"""Requests from which on a mean is taken to spread as the normal distribution does."""


@dataclass(kw_only=True)
class Errors:
    """How far off one value of the answers was: the given one, and the other release's.

    A number is off by its distance. A word, or a truth, is off by 1 if it is another one.
    """

    of_words: bool
    known: int = 0  # requests of which it is known what came
    total_given: float = 0.0
    total_other: float = 0.0
    squares: float = 0.0  # of how much further off the other was

    def add(self, given: float, other: float) -> None:
        """Count one request's two errors, unless what they add up to is too large for a double."""
        apart = other - given
        sums = (self.total_given + given, self.total_other + other, self.squares + apart * apart)
        if not all(map(math.isfinite, sums)):
            return
        self.total_given, self.total_other, self.squares = sums
        self.known += 1

    @property
    def given(self) -> float:
        """The mean error of the answers given; at least one has to be known."""
        return self.total_given / self.known

    @property
    def other(self) -> float:
        """The mean error of the other release."""
        return self.total_other / self.known

    def interval(self) -> tuple[float, float] | None:
        """Enclose how much further off the other is, 95 times in 100; None if too little is known.

        By pairs: both have answered the same requests, so that hard ones burden both.
        """
        if self.known < ENOUGH:
            return None
        mean = self.other - self.given
        variance = max(0.0, self.squares - self.known * mean**2) / (self.known - 1)
        either_way = CERTAIN * math.sqrt(variance / self.known)
        return mean - either_way, mean + either_way


class Accuracy:
    """What was seen of two releases' errors, value by value.

    Args:
        kind: What the contract promises; both answers keep it.
    """

    def __init__(self, kind: kinds.Kind) -> None:
        self._kinds = {name: kinds.unbounded(each) for name, each in kinds.values(kind).items()}
        self.errors = {
            name: Errors(of_words=not isinstance(each, kinds.Integer | kinds.Number))
            for name, each in self._kinds.items()
        }

    def add(self, actual: Any, given: Any, other: Any) -> None:
        """Hold two answers against what really came.

        Args:
            actual: Of an object, some of its values may be missing; one that was told under another
                contract, of another type, counts for nothing.
            given: What the client was given.
            other: What the other release says.
        """
        for name, kind in self._kinds.items():
            if name:
                came = actual.get(name) if isinstance(actual, dict) else None
                one, two = given[name], other[name]
            else:
                came, one, two = actual, given, other
            if breach(kind, came) is not None:
                continue
            if self.errors[name].of_words:
                self.errors[name].add(one != came, two != came)
            else:
                self.errors[name].add(abs(one - came), abs(two - came))
