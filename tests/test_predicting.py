"""The one way of a prediction: guarded, and named after its release."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from stopgap.contracts.madcompany import Sales, contract
from stopgap.predicting import Predicting, PredictionFailed, Release

INPUTS = Sales(seller_available=5, month="january", customer_visiting_website=100)


class Always:
    """A model that always answers the same."""

    def __init__(self, output: Any) -> None:
        self.output = output

    def predict(self, rows: Sequence[BaseModel]) -> Sequence[Any]:
        """Answer each row with the one output."""
        return [self.output for _ in rows]


def predicting(output: Any) -> Predicting:
    """Serve MadCompany's contract with a model that always answers the same."""
    return Predicting([Release(contract=contract, name="7", model=Always(output))])


def test_an_answer_says_its_release() -> None:
    """An answer is the model's, as bare JSON, with the release's name."""
    prediction = predicting(3141).predict(contract, INPUTS)
    assert (prediction.body, prediction.release) == (b"3141", "7")


@pytest.mark.parametrize(
    "output", [1999, 5001, 3141.0, float("nan"), float("inf"), "3141", None, True, [3141], {}]
)
def test_the_guard_lets_no_broken_promise_out(output: Any) -> None:
    """What does not keep the contract never reaches a client."""
    with pytest.raises(PredictionFailed):
        predicting(output).predict(contract, INPUTS)
