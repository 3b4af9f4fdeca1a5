"""Sameness: what the order of adding up does is the same answer, anything else is not."""

from typing import Any

import pytest

from stopgap.models.failures import ModelRaised
from stopgap.models.specification import Bring
from stopgap.releases.verification.sameness import differing, within

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (3000, 3000, True),
        (3000, 3001, False),
        (10**7, 10**7 + 1, False),
        (10**400, 10**400, True),
        (10**400, 10**400 + 1, False),
        (10**400, 1.0, False),
        (2.5, 2.5000001, True),
        (2.5, 2.501, False),
        (0.0, 1e-13, True),
        (2, 2.0, True),
        (True, 1, False),
        (True, False, False),
        ("north", "north", True),
        ("north", "south", False),
        ("3", 3, False),
        ({"a": 1, "b": 2.0}, {"a": 1, "b": 2.0}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        (NAN, NAN, True),  # the same breach again
        (NAN, 3000, False),
        (INFINITE, INFINITE, True),
        (INFINITE, -INFINITE, False),
        (None, None, True),
        (3000, ModelRaised("no"), False),
    ],
)
def test_the_same_answer(one: Any, other: Any, alike: bool) -> None:
    """Numbers may differ by what the order of adding up does, everything else by nothing."""
    assert (differing([(one, other)], "exact") == []) is alike
    assert (differing([(other, one)], "exact") == []) is alike


@pytest.mark.parametrize("way", ["round", "clip"])
def test_a_half_that_went_the_other_way(way: Bring) -> None:
    """Of rounded outputs a few may be a unit apart: if many are, or by more, it is no rounding."""
    alike = [(3000 + each, 3000 + each) for each in range(62)]
    assert differing([*alike, (7, 8), (8, 7)], way) == []
    assert differing([*alike, (7, 8), (7, 9)], way) == [63]
    assert differing([*alike, (7, 8), ({"a": 7}, {"a": 8})], "exact") == [62, 63]
    large = [(10**8 + each, 10**8 + 3 * each) for each in range(64)]
    assert differing(large, way) == []  # more digits than single precision has
    coin = [(each % 2, each // 2 % 2) for each in range(64)]
    assert len(differing(coin, way)) == 32


def test_what_is_left_of_large_terms() -> None:
    """Near 0 a number is held against what the others come to, each field against its own."""
    large = [(-600.0, -600.0), (250.0, 250.0), (800.0, 800.0)]
    assert differing([*large, (0.92339, 0.92342)], "exact") == []
    assert differing([*large, (0.92, 0.93)], "exact") == [3]
    objects = [({"a": one, "b": one / 1e5}, {"a": other, "b": other / 1e5}) for one, other in large]
    assert differing([*objects, ({"a": 0.1, "b": 0.1}, {"a": 0.10001, "b": 0.1})], "exact") == []
    assert differing([*objects, ({"a": 0.1, "b": 0.1}, {"a": 0.1, "b": 0.10001})], "exact") == [3]


@pytest.mark.parametrize(
    ("expected", "output", "tolerance", "near"),
    [
        (3000, 3010, 10, True),
        (3000, 3011, 10, False),
        (2.5, 2.4, 0.2, True),
        (1.2, 1.3, 0.1, True),  # whose difference is 0.10000000000000009
        (1.2, 1.301, 0.1, False),
        (1.2, 1.2000001, 0.0, False),
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
