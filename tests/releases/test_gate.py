"""The gate: a release that has not shown that it keeps the contract is given no traffic."""

from dataclasses import replace

import pytest
from tests.contracts.promises import DELIVERY
from tests.releases.making import MOMENT, report

from stopgap.releases.gate import ReleaseUnverified, check_verified, overridden
from stopgap.releases.move import Move
from stopgap.releases.verification.report import Finding

MADE = report(DELIVERY, "answers", "repeats")
UNSEEN = Finding(rule="memory", outcome="not checked", figure="no time")


@pytest.mark.parametrize(
    ("unseen", "overridden", "why"),
    [
        (False, (), "it broke answers, repeats."),
        (False, ("repeats",), "it broke answers."),
        (True, ("answers", "repeats"), "not checked: memory."),
        (True, ("answers",), "it broke repeats; not checked: memory."),
    ],
)
def test_why_not(unseen: bool, overridden: tuple[str, ...], why: str) -> None:
    """What a release broke and what nobody checked are told apart; what was overridden is not."""
    found = [each for each in MADE.findings if not (unseen and each.rule == UNSEEN.rule)]
    told = replace(MADE, findings=(*found, *([UNSEEN] if unseen else ())))
    with pytest.raises(ReleaseUnverified) as refused:
        check_verified(3, told, overridden, DELIVERY)
    assert refused.value.detail == f"Release 3 is given no traffic: {why}"


def override(version: int, rule: str, **figures: float) -> Move:
    """Make an override on record; an early one, without figures."""
    return Move(
        contract=DELIVERY.name,
        version=version,
        number=3,
        at=MOMENT,
        by="ann",
        action="overridden",
        rule=rule,
        figures=figures or None,
    )


def test_what_is_overridden() -> None:
    """An override is of the verification that it names; an early one, of those before it."""
    moves = [override(9, "latency", verification=2), override(5, "repeats"), override(4, "memory")]
    assert overridden(moves, 2) == ("memory", "repeats", "latency")
    assert overridden(moves, 4) == ("repeats",)
    assert overridden(moves, 7) == ()
