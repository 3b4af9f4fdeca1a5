"""Summaries for people of what the workers have counted: by route, by release."""

from collections.abc import Iterable
from dataclasses import dataclass

from stopgap.telemetry.metrics import LONGEST, PREDICTIONS, REQUESTS, SHORTEST, times
from stopgap.telemetry.shards import Counts, Key, Published

SERVER_FAULTS = "5"
"""How the statuses begin that are the server's own fault; those of clients begin with 4."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """How often something was asked for, how that went, and how long it took."""

    name: tuple[str, ...]  # a route; or a contract and its release
    all: int
    refused: int  # the one who asked was told what is wrong: 4xx
    failed: int  # the server was at fault: 5xx, or a prediction without an answer
    median_seconds: float | None  # at most so long; None: longer than anything that is told apart
    p99_seconds: float | None


def by_route(published: Published) -> list[Numbers]:
    """Sum up requests by their route, the most frequent first."""
    return _summed(published, REQUESTS, width=1)


def by_release(published: Published) -> list[Numbers]:
    """Sum up predictions by contract and release."""
    return _summed(published, PREDICTIONS, width=2)


def total_of(published: Published, name: str) -> int:
    """Tell how often something happened that has no duration, whatever its labels."""
    return sum(times(counts) for key, counts in published.counts.items() if key[0] == name)


def _summed(published: Published, name: str, *, width: int) -> list[Numbers]:
    groups: dict[tuple[str, ...], list[tuple[Key, Counts]]] = {}
    for key, counts in published.counts.items():
        if key[0] == name:
            groups.setdefault(key[1 : 1 + width], []).append((key, counts))
    found = (_numbers(group, members) for group, members in groups.items())
    happened = (each for each in found if each.all or each.failed)  # what is there from the start
    return sorted(happened, key=lambda numbers: (-numbers.all, numbers.name))


def _numbers(name: tuple[str, ...], members: Iterable[tuple[Key, Counts]]) -> Numbers:
    spans: list[int] = []
    refused = failed = 0
    for key, counts in members:
        spans = [a + b for a, b in zip(spans, counts[:-1], strict=True)] if spans else counts[:-1]
        outcome = key[-1]
        if outcome.startswith("4"):
            refused += times(counts)
        elif outcome.startswith(SERVER_FAULTS) or (key[0] == PREDICTIONS and outcome != "ok"):
            failed += times(counts)
    return Numbers(
        name=name,
        all=sum(spans),
        refused=refused,
        failed=failed,
        median_seconds=_bound(spans, 0.5),
        p99_seconds=_bound(spans, 0.99),
    )


def _bound(spans: Counts, share: float) -> float | None:
    """Tell the end of the span that a share of the durations is reached in."""
    wanted, seen = share * sum(spans), 0
    for bits, number in enumerate(spans, SHORTEST):
        seen += number
        if number and seen >= wanted:
            return 2**bits / 1_000_000 if bits <= LONGEST else None
    return None
