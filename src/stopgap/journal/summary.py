"""Summaries of many records: over time, and by release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stopgap.journal.spread import Bar


@dataclass(frozen=True, kw_only=True)
class Point:
    """How many answers a release gave in one step of time."""

    start: datetime
    contract: str
    release: str
    answers: int


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Answers over time, the oldest first; steps without answers are not listed."""

    seconds: int  # of a step
    points: Sequence[Point]
    whole: bool = True  # False: only the newest answers have been counted


@dataclass(frozen=True, kw_only=True)
class Charts:
    """Answers over time, and by what they were: words by their number, numbers in order."""

    timeline: Timeline
    spread: Sequence[Bar]
    spread_seconds: int = 0  # the steps that it takes whole; 0: it goes to the moment


@dataclass(frozen=True, kw_only=True)
class ReleaseStats:
    """What one release of a contract has answered; durations are right to 3%."""

    contract: str
    release: str
    answers: int
    median_micros: int
    p99_micros: int
