"""Sameness: which outputs are not the same answers again, or not near enough to an expected one."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import IntEnum
from statistics import median
from typing import Any

from stopgap.models.specification import Bring

RELATIVE = 1e-5
"""By how much numbers may differ that are the same answer. A batch is added up in another order
than a single row; in single precision, which ONNX uses, 1e-7 for each of some hundred terms."""

OF_USUAL = 1e-6
"""The same, of an answer's usual size: one near 0 may be what is left of terms that are larger."""

DOUBTFUL = 16
"""One in so many may be a unit apart where outputs are rounded: that order may decide a half."""


class Apart(IntEnum):
    """How far two outputs are from each other."""

    NOT = 0
    A_UNIT = 1
    FAR = 2


def differing(pairs: Sequence[tuple[Any, Any]], way: Bring) -> list[int]:
    """Tell which pairs of outputs are not the same answer, but for the order of adding up.

    Args:
        pairs: What was said, and what was said again.
        way: Where outputs are rounded, a few may be a unit apart.
    """
    sizes = _usual_sizes([one for one, _ in pairs])
    apart = [_apart(one, other, sizes, way) for one, other in pairs]
    few = apart.count(Apart.A_UNIT) * DOUBTFUL <= len(pairs)
    allowed = Apart.A_UNIT if few and way != "exact" else Apart.NOT
    return [at for at, how in enumerate(apart) if how > allowed]


def within(expected: Any, output: Any, tolerance: float) -> bool:
    """Tell whether an output that keeps the contract is an expected one, give or take."""
    if isinstance(expected, dict):
        return all(within(value, output[name], tolerance) for name, value in expected.items())
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        off = abs(output - expected)
        return bool(off <= tolerance or math.isclose(off, tolerance))  # 1.3 - 1.2 is above 0.1
    return bool(output == expected)


def _usual_sizes(outputs: Sequence[Any]) -> Mapping[str, float]:
    """Tell the median size of numbers, by field; that of outputs that are no objects is of ""."""
    sizes = defaultdict[str, list[float]](list)
    for output in outputs:
        fields = output if isinstance(output, dict) else {"": output}
        for name, value in fields.items():
            if _is_finite(value):
                sizes[name].append(abs(value))
    return {name: median(found) for name, found in sizes.items()}


def _apart(one: Any, other: Any, sizes: Mapping[str, float], way: Bring, field: str = "") -> Apart:
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return Apart.FAR
        parts = (_apart(one[name], other[name], sizes, way, name) for name in one)
        return max(parts, default=Apart.NOT)
    whole = type(one) is int and type(other) is int
    if _is_finite(one) and _is_finite(other) and not (whole and way == "exact"):
        room = max(OF_USUAL * sizes.get(field, 0.0), 1e-12)
        if math.isclose(one, other, rel_tol=RELATIVE, abs_tol=room):
            return Apart.NOT
        return Apart.A_UNIT if whole and abs(one - other) == 1 else Apart.FAR
    if type(one) is float and type(other) is float and math.isnan(one) and math.isnan(other):
        return Apart.NOT  # the same breach again
    return Apart.NOT if type(one) is type(other) and one == other else Apart.FAR


def _is_finite(value: Any) -> bool:
    """Tell whether a value is a number that can be reckoned with; an integer may be too long."""
    try:
        return type(value) in {int, float} and math.isfinite(value)
    except OverflowError:
        return False
