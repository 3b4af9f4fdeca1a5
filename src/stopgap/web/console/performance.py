"""How a release does: what it was asked lately, and how its answers differ from others'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.releases.comparing import percent
from stopgap.releases.release import Release
from stopgap.releases.tally import OUTCOMES, Tally
from stopgap.web.console import answering, charts
from stopgap.web.current import parts

LARGEST = 10
"""Of the differences between two releases, how many a page shows."""

COUNTED = timedelta(hours=1)
"""How far back requests are counted."""

SHARES = (("Median", 0.5), ("p90", 0.9), ("p99", 0.99))
"""Shares of the answers whose durations are told."""

FAILED = {
    "raised": "raised",
    "late": "late",
    "died": "died",
    "unavailable": "not ready",
    "breach": "against the contract",
}
"""The ways to have no valid answer, in words."""


@dataclass(frozen=True, kw_only=True)
class Performance:
    """How a release has done lately."""

    name: str
    requests: int
    failures: Sequence[tuple[str, int]]
    durations: Sequence[tuple[str, str]]  # a share of its answers, and within which time it came


def lately(contract: Contract, release: Release) -> Sequence[Performance]:
    """Tell how a release and the live one have done in the last hour, side by side."""
    live = parts().releases.routing(contract.name).live
    tallies = parts().watch.tallies(contract.name, parts().clock.now() - COUNTED)
    asked = dict.fromkeys([release.number, live.number])
    return [_performance(number, tallies[number]) for number in asked if number in tallies]


def _performance(number: int, tally: Tally) -> Performance:
    return Performance(
        name=answering.name(number),
        requests=tally.requests,
        failures=[
            (FAILED[each], count)
            for each in OUTCOMES
            if each != "ok" and (count := tally.outcomes[each])
        ],
        durations=[(words, _duration(tally.within(share))) for words, share in SHARES],
    )


def _duration(micros: float | None) -> str:
    return "none" if micros is None else f"{micros / 1_000:,.3g} ms"


def compared(contract: Contract, number: int) -> Sequence[Mapping[str, Any]]:
    """Set a release's answers beside those of each that answered the same requests."""
    found, name = [], answering.name(number)
    for other in parts().watch.compared_with(contract.name, number):
        given = answering.name(other)
        whole = parts().watch.comparison(contract.name, number, other)
        if whole.agreement is not None:
            found.append(
                {
                    "other": other,
                    "name": given,
                    "pairs": whole.compared,
                    "agreement": percent(whole.agreement),
                    "charts": [
                        (part, charts.differences(spread, given, name, _width(contract, part)))
                        for part, spread in whole.spreads.items()
                    ],
                    "largest": whole.largest[:LARGEST],
                }
            )
    return found


def _width(contract: Contract, part: str) -> float:
    """Tell how wide the promised range of an output, or of a part of it, is; words have none."""
    kind: kinds.Kind | None = contract.output_kind
    if isinstance(kind, kinds.Object):
        kind = next((each.kind for each in kind.fields if each.name == part), None)
    return kind.high - kind.low if isinstance(kind, kinds.Integer | kinds.Number) else 0.0
