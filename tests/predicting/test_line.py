"""The line of a prediction: guarded, named after its release, and on record."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes import FakeClock

from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.journal.record import decode
from stopgap.journal.spool import SpoolUnwritable
from stopgap.predicting.line import Instant, Line, PredictionFailed
from stopgap.predicting.unrecorded import Unrecorded
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

    def __init__(self, *, full: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.full = full

    def append(self, body: bytes) -> None:
        """Keep a record, if there is room."""
        if self.full:
            raise SpoolUnwritable("No space left on device")
        self.bodies.append(body)


def line(
    output: Any, spool: Memory, *, strict: bool = True, clock: FakeClock | None = None
) -> Line:
    """Serve MadCompany's contract with a model that always answers the same."""
    at, metrics = clock or FakeClock(), Metrics()
    return Line(
        Instant(contract=contract, name="7", model=Always(output)),
        clock=at,
        spool=spool,
        unrecorded=Unrecorded(strict=strict, clock=at, metrics=metrics),
        metrics=metrics,
        took=metrics.prediction_line(contract.name, "7").took,
    )


def test_an_answer_says_its_release_and_is_on_record() -> None:
    """An answer is the model's, as bare JSON; what it was asked and what it said is kept."""
    spool = Memory()
    prediction = line(3141, spool).predict(ROW, REQUEST_ID, "somebody")
    assert prediction == (3141, b"3141", "7")
    (body,) = spool.bodies
    record = decode(body)
    assert (record.id, record.contract, record.release) == (REQUEST_ID, "madcompany", "7")
    assert (record.fingerprint, record.caller) == (contract.fingerprint, "somebody")
    assert (record.output, json.loads(record.inputs)) == (b"3141", ROW.inputs.model_dump())
    assert record.at == FakeClock().microseconds()


def test_a_clock_that_is_set_back() -> None:
    """No answer took less than no time, whatever the machine's clock does."""

    class Back(FakeClock):
        def microseconds(self) -> int:
            self.forward(hours=-1)
            return super().microseconds()

    spool = Memory()
    line(3141, spool, clock=Back()).predict(ROW, REQUEST_ID, None)
    assert decode(spool.bodies[0]).micros == 0


@pytest.mark.parametrize(
    "output", [1999, 5001, 3141.0, float("nan"), float("inf"), "3141", None, True, [3141], {}]
)
def test_the_guard_lets_no_broken_promise_out(output: Any) -> None:
    """What does not keep the contract never reaches a client, and is no answer on record."""
    spool = Memory()
    with pytest.raises(PredictionFailed) as refusal:
        line(output, spool).predict(ROW, REQUEST_ID, None)
    assert refusal.value.detail == "Release 7 gave no valid answer."  # and not which one it gave
    assert spool.bodies == []


def test_strict_withholds_what_cannot_be_recorded() -> None:
    """Strict: without a record there is no answer."""
    with pytest.raises(SpoolUnwritable):
        line(3141, Memory(full=True)).predict(ROW, REQUEST_ID, None)


def test_available_answers_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Available: without a record there is an answer, and a line in the log, but not for each."""
    careless = line(3141, Memory(full=True), strict=False)
    predictions = [careless.predict(ROW, REQUEST_ID, None) for _ in range(100)]
    assert {prediction.body for prediction in predictions} == {b"3141"}
    (told,) = caplog.records
    assert vars(told)["request_id"] == REQUEST_ID
    assert "No space left on device" in told.getMessage()
