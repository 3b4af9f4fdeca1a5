"""Observing: as many inputs as are asked for, each looked at once, until enough is wrong."""

import asyncio
import time

import pytest
from tests.releases.verification.test_asking import ROW, Slot

from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract
from stopgap.releases.verification import observing
from stopgap.releases.verification.asking import Answered, Asking
from stopgap.releases.verification.observing import ENOUGH, Observed, breach_of, observe


def observed(slot: Slot, rows: int, *, corners: int = 3) -> Observed:
    """Observe what a slot answers."""
    asking = Asking(slot, deadline=0.5, until=time.monotonic() + 30)
    return asyncio.run(
        observe(
            slot,
            asking,
            contract,
            [ROW] * rows,
            corners=corners,
            batch=10,
            progress=lambda _done, _of: None,
        )
    )


def test_each_answer_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the inputs take ten times as long, and not a hundred times."""
    looked: list[Answered] = []

    def look(contract: Contract, answered: Answered) -> str | None:
        looked.append(answered)
        return breach_of(contract, answered)

    monkeypatch.setattr(observing, "breach_of", look)
    found = observed(Slot(3_000), 1_000)
    assert len(found.answered) == len(looked) == 1_000


def test_enough_is_wrong() -> None:
    """After so many wrong answers no more are asked for."""
    assert len(observed(Slot(0), 1_000, corners=0).answered) == ENOUGH
