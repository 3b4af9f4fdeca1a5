"""Sameness: whether two outputs are the same answer, or near enough to an expected one."""

import math
from typing import Any

from stopgap.models.specification import Bring

RELATIVE = 1e-5
"""By how much numbers may differ that are the same answer. A batch is added up in another order
than a single row; in single precision, which ONNX uses, 1e-7 for each of some hundred terms."""


def same(one: Any, other: Any, way: Bring) -> bool:
    """Tell whether two outputs are one answer, but for the order in which a batch is added up.

    Args:
        way: Where outputs are rounded, that order may decide a half: one unit apart is the same.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], way) for key in one)
    if type(one) is int and type(other) is int:
        return one == other or (way != "exact" and abs(one - other) == 1)
    numbers = {type(one), type(other)} <= {int, float}
    if numbers:
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-12)
    return type(one) is type(other) and bool(one == other)


def within(expected: Any, output: Any, tolerance: float) -> bool:
    """Tell whether an output that keeps the contract is an expected one, give or take."""
    if isinstance(expected, dict):
        return all(within(value, output[name], tolerance) for name, value in expected.items())
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return bool(abs(output - expected) <= tolerance)
    return bool(output == expected)
