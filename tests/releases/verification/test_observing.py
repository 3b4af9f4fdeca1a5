"""Observing: as many inputs as are asked for, each looked at once, until enough is wrong."""

import asyncio
import time
from typing import Any

import pytest
from tests.releases.verification.test_asking import ROW, Slot

from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract
from stopgap.models.failures import ModelDied, ModelLate, ModelRaised
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


@pytest.mark.parametrize(
    ("says", "batch"),
    [
        ([3_000] * 3 + [ModelDied("a crash"), 3_000], 1),
        ([3_000] * 3 + [ModelLate("too slow"), 3_000], 1),
        ([ModelRaised("a bad one"), ModelDied("a crash"), 3_000], 1),  # as its batch is asked alone
        ([ModelDied("a crash"), 3_000], 10),
        ([3_000] * 2 + [ModelDied("a crash")], 0),
    ],
)
def test_what_was_fatal_is_asked_again(says: list[Any], batch: int) -> None:
    """A row is blamed only if it is fatal twice; that it was once is told as well."""
    blame = observed(Slot(*says), 30).blame
    assert blame.fatal is not None
    assert (blame.fatal_batch, blame.again) == (batch, False if batch else None)


def test_many_may_take_their_time_together() -> None:
    """That a batch is late and no row of it alone has ended no process for its inputs."""
    assert observed(Slot(ModelLate("too slow"), 3_000), 30).blame.fatal is None


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
