"""The stand-in draws inside the promise, evenly, and keeps its word when it is stable."""

import random
import subprocess
import sys
from typing import Annotated

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach
from stopgap.models.stand_in import RandomStandIn, StableStandIn, stand_in

DRAWS = 100_000
BINS = 3_001  # 2000 to 5000


def rows(count: int) -> list[Row]:
    """Make different inputs for MadCompany's contract."""
    return [
        Row.of(Sales(seller_available=number, month="january", customer_visiting_website=7))
        for number in range(count)
    ]


def chi_square(draws: list[int]) -> float:
    """Measure how far draws from 2000 to 5000 are from even."""
    counts = [0] * BINS
    for draw in draws:
        counts[draw - 2000] += 1
    expected = len(draws) / BINS
    return sum((count - expected) ** 2 / expected for count in counts)


# The statistic has mean 3000 and standard deviation 77.5; seven of these are no accident.
ODD = 7 * 77.5


def test_random_draws_are_inside_and_even() -> None:
    """100,000 draws are all within 2000 to 5000, hit both ends, and are spread evenly."""
    model = RandomStandIn(contract, random.Random(20260131))
    draws = list(model.predict(rows(1) * DRAWS))
    assert (min(draws), max(draws)) == (2000, 5000)
    assert abs(chi_square(draws) - 3000) < ODD


def test_stable_draws_are_inside_and_even() -> None:
    """Over different inputs the stable stand-in is as even as the random one."""
    draws = list(StableStandIn(contract).predict(rows(DRAWS)))
    assert (min(draws), max(draws)) == (2000, 5000)
    assert abs(chi_square(draws) - 3000) < ODD


SCRIPT = """
from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.models.stand_in import StableStandIn
row = Row.of(Sales(seller_available=5, month="january", customer_visiting_website=100))
print(StableStandIn(contract).predict([row, row])[0])
"""


def test_stable_is_the_same_in_every_process() -> None:
    """Two processes give the same answer for the same inputs."""
    command = [sys.executable, "-c", SCRIPT]
    answers = {
        subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)
    }
    assert len(answers) == 1


def test_stable_knows_its_contract() -> None:
    """Another contract's answers to the same inputs are others."""
    other = Contract(
        name="other",
        version="1.0.0",
        path="/other/{seller_available}/{month}/{customer_visiting_website}",
        inputs=Sales,
        output=Annotated[int, Field(ge=2000, le=5000)],
    )
    few = rows(20)
    assert StableStandIn(contract).predict(few) != StableStandIn(other).predict(few)


class Nothing(BaseModel):
    """Inputs of a contract whose output is what counts."""

    number: Annotated[int, Field(ge=0, le=10)]


@given(
    low=st.integers(-(10**6), 10**6), width=st.integers(0, 10**6), seed=st.integers(0, 2**32 - 1)
)
def test_every_draw_keeps_the_promise(low: int, width: int, seed: int) -> None:
    """Whatever range is promised, both stand-ins stay inside it."""
    promised = Contract(
        name="any",
        version="1",
        path="/any/{number}",
        inputs=Nothing,
        output=Annotated[int, Field(ge=low, le=low + width)],
    )
    for model in (
        stand_in(promised, "random", random.Random(seed)),
        stand_in(promised, "stable", random.Random(seed)),
    ):
        (output,) = model.predict([Row.of(Nothing(number=seed % 11))])
        assert breach(promised.output_kind, output) is None
