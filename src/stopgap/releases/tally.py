"""The tally: how a release has done lately, as each worker counts it and the judge adds it up."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from stopgap.models.failures import (
    ModelDied,
    ModelFailed,
    ModelLate,
    ModelRaised,
    ModelUnavailable,
)

Outcome = Literal["ok", "raised", "late", "died", "unavailable", "breach"]
"""What became of a request: an answer that keeps the promise, or one of the ways to have none."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
OF_FAILURES: Mapping[type[ModelFailed], Outcome] = {
    ModelRaised: "raised",
    ModelLate: "late",
    ModelDied: "died",
    ModelUnavailable: "unavailable",
}


def outcome_of(failure: ModelFailed) -> Outcome:
    """Tell how a failure is counted; one of a kind that nobody counts is an error of the model."""
    return OF_FAILURES.get(type(failure), "raised")


CUTS = 8
"""Bins to an octave: a duration is known to 9%."""


def duration_bin(micros: int) -> int:
    """Tell the bin of a duration."""
    return int(CUTS * math.log2(max(micros, 1)))


def bin_start(number: int) -> float:
    """Tell the least duration of a bin, in microseconds."""
    return float(2 ** (number / CUTS))


def bin_at(durations: Counter[int], rank: float) -> int:
    """Tell the bin of the answer at a rank, the quickest being the first; there is one at least."""
    passed = 0
    ordered = sorted(durations.items())
    for number, count in ordered:
        passed += count
        if passed >= rank:
            return number
    return ordered[-1][0]


@dataclass(kw_only=True)
class Tally:
    """What a release did in some time; counted by one thread, written down, added up."""

    contract: str
    number: int
    outcomes: Counter[str] = field(default_factory=Counter)
    durations: Counter[int] = field(default_factory=Counter)  # bin -> answers that were given

    def add(self, outcome: Outcome, micros: int) -> None:
        """Count one request; how long it took is kept where there was an answer."""
        self.outcomes[outcome] += 1
        if outcome == "ok":
            self.durations[duration_bin(micros)] += 1

    @property
    def requests(self) -> int:
        """All requests."""
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """Requests without an answer that keeps the promise."""
        return self.requests - self.outcomes["ok"]

    def within(self, share: float) -> float | None:
        """Tell the microseconds within which a share of the answers came, to 9%; None: no answers.

        It is the upper end of a bin, so that nothing is told quicker than it was.
        """
        if not self.durations:
            return None
        return bin_start(bin_at(self.durations, share * self.durations.total()) + 1)

    def written_durations(self) -> str:
        """Write the durations as JSON."""
        return json.dumps(self.durations, separators=(",", ":"))


def read_durations(text: str) -> Counter[int]:
    """Read what `written_durations` has written."""
    found: Mapping[str, int] = json.loads(text)
    return Counter({int(number): count for number, count in found.items()})
