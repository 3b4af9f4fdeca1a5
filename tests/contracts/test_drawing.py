"""Draws are even, and reach both ends of what is promised."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.promises import contracts
from tests.contracts.samples import Bits

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.drawing import draw, drawer
from stopgap.contracts.madcompany import contract as madcompany

DRAWS = 100_000
PROMISED = range(2000, 5001)
FREEDOM = len(PROMISED) - 1
"""Degrees of freedom: a chi-square of so many has this mean, and twice it as its variance."""


def draws(source: random.Random) -> Counter[int]:
    """Draw from MadCompany's promise."""
    return Counter(draw(madcompany.output_kind, source) for _ in range(DRAWS))


def unevenness(counts: Counter[int]) -> float:
    """Tell by how many standard deviations the chi-square is above its mean."""
    expected = DRAWS / len(PROMISED)
    chi_square: float = sum((counts[value] - expected) ** 2 / expected for value in PROMISED)
    return (chi_square - FREEDOM) / math.sqrt(2 * FREEDOM)


def test_madcompany_is_drawn_evenly_from_2000_to_5000() -> None:
    """A hundred thousand draws are inside, hit both ends, and are neither uneven nor too even."""
    counts = draws(random.Random(20_260_131))
    assert set(counts) == set(PROMISED)
    assert abs(unevenness(counts)) < 2


def test_madcompany_is_drawn_evenly_from_the_systems_randomness() -> None:
    """The same holds for a source that nobody has chosen; 8 deviations are one run in 10^13."""
    counts = draws(random.Random(random.SystemRandom().getrandbits(64)))
    assert set(counts) <= set(PROMISED)
    assert abs(unevenness(counts)) < 8


def test_an_uneven_draw_would_be_noticed() -> None:
    """The measure itself tells a draw that favours one half by a few percent."""
    source = random.Random(1)
    low, high = range(2000, 3500), range(3500, 5001)
    counts = Counter(source.choice(low if source.random() < 0.52 else high) for _ in range(DRAWS))
    assert unevenness(counts) > 2


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
def test_numbers_are_drawn_evenly(share: float) -> None:
    """A quarter of a number's range gets a quarter of the draws."""
    source = random.Random(7)
    found = [draw(kinds.Number(low=-3.0, high=5.0), source) for _ in range(20_000)]
    inside = sum(share <= (number + 3) / 8 < share + 0.25 for number in found)
    assert abs(inside - 5_000) < 300


@given(contracts(), st.integers(0, 2**32))
def test_a_drawer_draws_as_draw_does(contract: Contract, seed: int) -> None:
    """From the same source both draw the same values; so what holds for one holds for the other."""
    one, other = random.Random(seed), random.Random(seed)
    again = drawer(contract.output_kind, one)
    assert [again() for _ in range(5)] == [draw(contract.output_kind, other) for _ in range(5)]


@pytest.mark.parametrize(
    ("promise", "low", "high"),
    [
        (kinds.Number(low=0.5, high=14.0), 0.5, 14.0),
        (kinds.Number(low=0.1, high=0.3, low_open=True), 0.10000000000000002, 0.3),
        (kinds.Number(low=0.0, high=1.0, low_open=True, high_open=True), 5e-324, 1 - 2**-53),
        (kinds.Number(), -kinds.NUMBER_MAX, kinds.NUMBER_MAX),
        (kinds.Integer(low=0, high=7), 0, 7),
    ],
)
def test_both_ends_can_be_drawn(promise: kinds.Kind, low: float, high: float) -> None:
    """The least and the greatest draw are the ends of the range, or just inside open ones."""
    assert (draw(promise, Bits(0)), draw(promise, Bits(1))) == (low, high)
    assert corners(promise) == [low, high]
