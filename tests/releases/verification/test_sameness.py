"""Sameness: what a batch's order of adding up does is the same answer, anything else is not."""

from typing import Any

import pytest

from stopgap.models.failures import ModelRaised
from stopgap.models.specification import Bring
from stopgap.releases.verification.sameness import same, within

NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other", "way", "alike"),
    [
        (3000, 3000, "exact", True),
        (3000, 3001, "exact", False),
        (3000, 3001, "round", True),  # a half that went the other way
        (3000, 3002, "round", False),
        (2.5, 2.5000001, "exact", True),
        (2.5, 2.501, "clip", False),
        (0.0, 1e-13, "exact", True),
        (2, 2.0, "exact", True),
        (True, 1, "exact", False),
        (True, False, "round", False),
        ("north", "north", "exact", True),
        ("north", "south", "exact", False),
        ("3", 3, "exact", False),
        ({"a": 1, "b": 2.0}, {"a": 1, "b": 2.0}, "exact", True),
        ({"a": 1}, {"a": 2}, "exact", False),
        ({"a": 1}, {"b": 1}, "exact", False),
        (NAN, NAN, "exact", True),  # the same breach again
        (NAN, 3000, "exact", False),
        (None, None, "exact", True),
        (3000, ModelRaised("no"), "round", False),
    ],
)
def test_the_same_answer(one: Any, other: Any, way: Bring, alike: bool) -> None:
    """Numbers may differ by rounding, everything else by nothing."""
    assert same(one, other, way) is alike
    assert same(other, one, way) is alike


@pytest.mark.parametrize(
    ("expected", "output", "tolerance", "near"),
    [
        (3000, 3010, 10, True),
        (3000, 3011, 10, False),
        (2.5, 2.4, 0.2, True),
        ("north", "north", 0.0, True),
        ("north", "south", 9.0, False),
        (True, False, 9.0, False),
        ({"days": 2.0, "carrier": "north"}, {"days": 2.5, "carrier": "north"}, 0.5, True),
        ({"days": 2.0, "carrier": "north"}, {"days": 2.5, "carrier": "south"}, 0.5, False),
    ],
)
def test_within_a_tolerance(expected: Any, output: Any, tolerance: float, near: bool) -> None:
    """A tolerance is one of numbers, also inside of an object; words are as expected or not."""
    assert within(expected, output, tolerance) is near
