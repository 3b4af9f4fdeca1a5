"""Accuracy: whose answers were nearer to what really came, and whether that may be chance."""

import math
import random

import pytest

from stopgap.contracts import kinds
from stopgap.releases.accuracy import ENOUGH, Accuracy, Errors

SALES = kinds.Integer(low=2_000, high=5_000)
DELIVERY = kinds.Object(
    fields=(
        kinds.Field(name="days", kind=kinds.Number(low=0, high=30)),
        kinds.Field(name="carrier", kind=kinds.Choice(values=("north", "south"))),
    )
)


def test_the_mean_error_of_each() -> None:
    """Both are held against the same outcomes, which may lie beyond the promised range."""
    seen = Accuracy(SALES)
    seen.add(5_600, 5_000, 4_500)
    seen.add(2_000, 2_100, 2_000)
    errors = seen.errors[""]
    assert (errors.known, errors.given, errors.other) == (2, 350, 550)
    assert errors.interval() is None


def test_an_object_value_by_value() -> None:
    """Of an object, what came of some values is enough; a word is right or wrong."""
    seen = Accuracy(DELIVERY)
    given, other = {"days": 3.0, "carrier": "north"}, {"days": 2.0, "carrier": "south"}
    seen.add({"days": 2.5, "carrier": "south"}, given, other)
    seen.add({"carrier": "north"}, given, other)
    days, carrier = seen.errors["days"], seen.errors["carrier"]
    assert (days.known, days.given, days.other) == (1, 0.5, 0.5)
    assert (carrier.known, carrier.given, carrier.other) == (2, 0.5, 0.5)


@pytest.mark.parametrize("actual", [None, True, "3000", {"days": 2}, 3_000.5, []])
def test_what_was_told_under_another_contract(actual: object) -> None:
    """An outcome of another type than the contract promises now counts for nothing."""
    seen = Accuracy(SALES)
    seen.add(actual, 3_000, 3_100)
    assert seen.errors[""].known == 0
    whole = Accuracy(DELIVERY)
    whole.add(actual, {"days": 3.0, "carrier": "north"}, {"days": 3.0, "carrier": "north"})
    assert whole.errors["carrier"].known == 0


def test_numbers_too_large_to_be_added_up() -> None:
    """What no double can tell spoils nothing else."""
    errors = Errors(of_words=False)
    errors.add(1.0, kinds.NUMBER_MAX)
    errors.add(1.0, 3.0)
    assert (errors.known, errors.given, errors.other) == (1, 1.0, 3.0)
    huge = Errors(of_words=False)
    for _ in range(ENOUGH):
        huge.add(kinds.NUMBER_MAX, kinds.NUMBER_MAX)
    assert (huge.known, huge.given, huge.interval()) == (1, kinds.NUMBER_MAX, None)


def test_the_interval_holds_as_often_as_it_says() -> None:
    """Of two releases as good as each other, it leaves out 0 some five times in 100."""
    rng, out = random.Random(7), 0
    for _ in range(1_000):
        errors = Errors(of_words=False)
        for _ in range(100):
            burden = rng.random()  # both have it
            errors.add(burden + rng.random(), burden + rng.random())
        low, high = errors.interval() or (math.nan, math.nan)
        assert low < high
        out += not low <= 0 <= high
    assert 30 < out < 75


def test_the_same_answers_are_no_better() -> None:
    """Where both say the same, the interval is nothing at all."""
    errors = Errors(of_words=False)
    for _ in range(ENOUGH):
        errors.add(0.1, 0.1)
    assert errors.interval() == (0, 0)
