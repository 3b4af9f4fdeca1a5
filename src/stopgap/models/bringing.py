"""Bringing a model's output into the contract's type, in a way that the release has chosen.

- `exact`: only what loses nothing. 3141.0 is the integer 3141, as in JSON Schema; 3141.2 is left.
- `round`: a number for an integer goes to the nearest, halves to the even one.
- `clip`: rounds as well, and moves a number that is out of range to the nearest end.

Whatever cannot be brought is left as it is, for the guard to refuse. NaN and infinity are left in
every way: they are broken computations, and no number is near to them.
"""

import math
from collections.abc import Callable
from typing import Any

from stopgap.contracts import kinds
from stopgap.models.specification import Bring

Bringing = Callable[[Any], Any]


def bring(kind: kinds.Kind, way: Bring) -> Bringing:
    """Make the function that brings one output into a kind."""
    if isinstance(kind, kinds.Object):
        return _record({field.name: bring(field.kind, way) for field in kind.fields})
    if isinstance(kind, kinds.Integer):
        return _integer(kind.low, kind.high, way)
    if isinstance(kind, kinds.Number) and way == "clip":
        return _clipped(*kind.ends())
    return _as_it_is


def _as_it_is(output: Any) -> Any:
    return output


def _integer(low: int, high: int, way: Bring) -> Bringing:
    def nearest(output: Any) -> Any:
        if type(output) is float and math.isfinite(output):
            if way == "exact":
                return int(output) if output.is_integer() else output
            output = round(output)
        if way == "clip" and type(output) is int:
            return min(max(output, low), high)
        return output

    return nearest


def _clipped(low: float, high: float) -> Bringing:
    def nearest(output: Any) -> Any:
        if type(output) is int or (type(output) is float and math.isfinite(output)):
            return min(max(output, low), high)
        return output

    return nearest


def _record(fields: dict[str, Bringing]) -> Bringing:
    def nearest(output: Any) -> Any:
        if type(output) is not dict:
            return output
        return {
            name: fields[name](value) if name in fields else value for name, value in output.items()
        }

    return nearest
