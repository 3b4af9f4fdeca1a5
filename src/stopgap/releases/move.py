"""A move on record: who did what to a release, when and why; kept for ever."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from stopgap.releases.release import Stage

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
