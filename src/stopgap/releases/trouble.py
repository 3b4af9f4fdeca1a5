"""Trouble: why workers cannot ask a release's model now, in words for operators."""

from collections.abc import Mapping
from dataclasses import dataclass

TROUBLE_SECONDS = 10.0
"""How long a worker's word for it holds: it tells every second, and one that has died no more."""

Troubles = Mapping[tuple[str, int], str]
"""What a worker cannot ask, by contract and number, and why."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One reason why a release's model cannot be asked, and in how many workers that is so."""

    number: int
    reason: str
    workers: int

    def words(self) -> str:
        """Tell it as what follows a release's name."""
        where = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"cannot answer in {where}: {self.reason}"
