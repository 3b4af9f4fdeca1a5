"""Bins: every number in one, whatever its size; bars of one width made from them exactly."""

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stopgap.journal.spread import BARS, GREATEST, LEAST, Bar, bars, bin_of, drawn, ends, quantile

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS)
@example(5e-324)
@example(-5e-324)
@example(1.7976931348623157e308)
@example(-1.7976931348623157e308)
@example(2.2250738585072014e-308)
def test_a_bin_holds_its_numbers(value: float) -> None:
    """A number is not below its bin's lower end, and below its upper one, but for extremes."""
    low, high = ends(bin_of(value))
    if -LEAST <= value < LEAST:
        assert (low, high) == (0, 0)
    elif abs(value) < GREATEST:
        assert low <= value < high
        assert high - low <= abs(value) / 16
    else:
        assert math.copysign(low, value) == low


@given(NUMBERS, NUMBERS)
def test_bins_are_in_order(one: float, other: float) -> None:
    """The order of bins is that of their numbers."""
    if one < other:
        assert bin_of(one) <= bin_of(other)


@given(
    st.lists(st.floats(-1e9, 1e9) | st.integers(-(2**53), 2**53), min_size=1),
    st.integers(2, 60),
)
def test_bars_leave_nothing_out(values: list[float], most: int) -> None:
    """Bars hold every answer, are of one width, in order, apart, and not too many."""
    counts: dict[int, int] = {}
    for value in values:
        counts[bin_of(value)] = counts.get(bin_of(value), 0) + 1
    made = bars(counts, most=most)
    assert sum(bar.answers for bar in made) == len(values)
    assert len(made) <= most
    spans = [(bar.low, bar.high) for bar in made if bar.low is not None and bar.high is not None]
    assert len({math.frexp(high - low)[1] for low, high in spans}) <= 1
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    counted = [0.0 if -LEAST <= value < LEAST else value for value in values]
    assert min(counted) >= spans[0][0]
    assert max(counted) < spans[-1][1]


def test_bars_of_the_first_contract() -> None:
    """MadCompany's range is drawn in bars that are easy to read."""
    counts: dict[int, int] = {}
    for value in range(2000, 5001):
        counts[bin_of(value)] = counts.get(bin_of(value), 0) + 1
    made = bars(counts, most=40)
    assert made[1] == Bar(low=2048, high=2176, answers=128)
    assert len(made) == 25


def test_small_integers_have_a_bar_each() -> None:
    """Where all answers are integers, no bar is narrower than from one to the next."""
    counts = {bin_of(value): 1 for value in range(-3, 12)}
    assert [bar.low for bar in bars(counts, most=40)] == list(range(-3, 12))


def test_nothing_has_no_bars() -> None:
    """Without answers there are no bars."""
    assert bars({}, most=40) == []


def test_words_that_are_not_drawn_are_counted_together() -> None:
    """A last bar stands for all words that have none of their own, and no answer is left out."""
    words = {f"word {number:03}": 1 + (number == 7) for number in range(100)}
    made = drawn({}, words)
    assert made[0] == Bar(word="word 007", answers=2)
    assert made[BARS:] == [Bar(others=100 - BARS, answers=100 - BARS)]
    assert drawn({}, words, (10, 12))[BARS:] == [Bar(others=110 - BARS, answers=112 - BARS)]
    few = dict(list(words.items())[:BARS])
    assert [bar.others for bar in drawn({}, few)] == [0] * BARS


@given(st.lists(st.integers(1, 10**7), min_size=1))
def test_quantiles_are_right_to_three_percent(values: list[int]) -> None:
    """A quantile is that of the numbers themselves, or a little above it."""
    counts: dict[int, int] = {}
    for value in values:
        counts[bin_of(value)] = counts.get(bin_of(value), 0) + 1
    for share in (0.5, 0.99, 1):
        exact = sorted(values)[math.ceil(share * len(values)) - 1]
        assert exact < quantile(counts, share) <= exact * 1.0323 + 1e-9


@pytest.mark.parametrize("value", [0, 0.0, -0.0])
def test_zero_is_zero(value: float) -> None:
    """Zero's bin is 0, whatever its sign."""
    assert bin_of(value) == 0
