"""Trouble: why workers cannot ask a release's model now, in words for operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stopgap.releases.release import ON_DUTY, Release

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


def ailing(
    releases: Iterable[Release], fingerprint: str, troubles: Sequence[Trouble]
) -> list[tuple[Release, Trouble | None]]:
    """Find which releases cannot answer, in their order, and each one's reasons.

    Args:
        releases: Of one contract.
        fingerprint: Of that contract as it is served.
        troubles: Why workers cannot ask releases, and which.

    Returns:
        None for a reason: it has not passed for that contract, so it answers nothing at all.
    """
    found: list[tuple[Release, Trouble | None]] = []
    for release in releases:
        if release.stage in ON_DUTY and release.fingerprint != fingerprint:
            found.append((release, None))
        else:
            found += [(release, each) for each in troubles if each.number == release.number]
    return found
