"""The predictor of what is answered at once: guarded, named after its release, and on record."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes import FakeClock

from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.journal.record import decode
from stopgap.journal.spool import SpoolUnwritable
from stopgap.predicting.guard import Guard, PredictionFailed
from stopgap.predicting.instant import InstantModel, InstantPredictor
from stopgap.predicting.recording import Recording
from stopgap.telemetry.metrics import Metrics

ROW = Row.of(Sales(seller_available=5, month="january", customer_visiting_website=100))
REQUEST_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Always:
    """A model that always answers the same."""

    def __init__(self, output: Any) -> None:
        self.output = output

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row with the one output."""
        return [self.output for _ in rows]


class Memory:
    """A spool in memory, which may be full."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def append(self, body: bytes) -> None:
        """Keep a record."""
        self.bodies.append(body)


class Full(Memory):
    """A spool that takes nothing."""

    def append(self, _body: bytes) -> None:
        """Keep no record."""
        raise SpoolUnwritable("full")


def predictor(output: Any, spool: Memory, failures: list[str] | None = None) -> InstantPredictor:
    """Serve MadCompany's contract with a model that always answers the same."""
    at, metrics = FakeClock(), Metrics()
    told: list[str] = [] if failures is None else failures
    return InstantPredictor(
        InstantModel(contract=contract, name="7", model=Always(output)),
        Guard(contract, "7", at.monotonic),
        recording=Recording(spool, strict=True, clock=at, metrics=metrics),
        took=metrics.prediction_series(contract.name, "7").took,
        failed=lambda error: told.append(error.code),
    )


def test_an_answer_says_its_release_and_is_on_record() -> None:
    """An answer is the model's, as bare JSON; what it was asked and what it said is kept."""
    spool = Memory()
    prediction = predictor(3141, spool).predict(ROW, REQUEST_ID, "somebody")
    assert prediction == (3141, b"3141", "7")
    (body,) = spool.bodies
    record = decode(body)
    assert (record.id, record.contract, record.release) == (REQUEST_ID, "madcompany", "7")
    assert (record.fingerprint, record.caller) == (contract.fingerprint, "somebody")
    assert (record.output, json.loads(record.inputs)) == (b"3141", ROW.inputs.model_dump())
    assert record.at == FakeClock().microseconds()


@pytest.mark.parametrize(
    "output", [1999, 5001, 3141.0, float("nan"), float("inf"), "3141", None, True, [3141], {}]
)
def test_the_guard_lets_no_broken_promise_out(output: Any) -> None:
    """What does not keep the contract never reaches a client, and is no answer on record."""
    spool, failures = Memory(), list[str]()
    with pytest.raises(PredictionFailed) as refusal:
        predictor(output, spool, failures).predict(ROW, REQUEST_ID, None)
    assert refusal.value.detail == "Release 7 gave no valid answer."  # and not which one it gave
    assert spool.bodies == []
    assert failures == [PredictionFailed.code]


def test_an_answer_that_cannot_be_recorded_is_counted_as_that() -> None:
    """What is withheld is no answer, and is counted by the reason."""
    failures = list[str]()
    with pytest.raises(SpoolUnwritable):
        predictor(3141, Full(), failures).predict(ROW, REQUEST_ID, None)
    assert failures == [SpoolUnwritable.code]
