"""A move on record: who did what to a release, when and why; kept for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from stopgap.releases.release import ON_DUTY, Stage

WORDS_MAX = 1_000
"""Characters of a note or a reason."""

Action = Literal[
    "added",
    "verified",
    "overridden",
    "promoted",
    "withdrawn",
    "rolled back",
    "sent back",
    "retired",
    "fallback",
]
"""What can be done. `sent back` is what the server does by itself to a canary that fails."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """What was done to one release; what was done at once shares a version."""

    contract: str
    version: int
    number: int
    at: datetime
    by: str
    action: Action
    was: Stage | None = None  # None: its stage is not what was changed
    now: Stage | None = None
    percent: float = 0.0
    rule: str = ""  # that was overridden
    reason: str = ""
    figures: Mapping[str, float] | None = None  # by which it was judged, or what it is about


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who does something, what and why."""

    by: str
    action: Action
    reason: str = ""
    rule: str = ""
    figures: Mapping[str, float] | None = None


def latest(moves: Sequence[Move]) -> Move | None:
    """Find what was done last, of moves with the latest first; None: nothing was.

    Of what was done at once it is what gave traffic to a release: the rest follows from that.
    """
    at_once = [each for each in moves if each.version == moves[0].version]
    by_stage = (each for stage in ON_DUTY for each in at_once if each.now == stage)
    return next(by_stage, at_once[0] if at_once else None)


def written(text: str) -> str:
    """Make a text fit for every database: no halves of pairs, no zeros, not endless."""
    return text[:WORDS_MAX].encode(errors="replace").decode().replace("\0", "\ufffd")
