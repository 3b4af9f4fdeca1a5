"""Corners: the values at the edges of a kind, and the inputs there: where models break."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import SampleNotFound, given_values
from stopgap.contracts.row import Row, allowed_inputs


def corners(kind: kinds.Kind) -> list[Any]:
    """List the values at the edges of a kind: both ends, each choice, shortest and longest texts.

    An object's are few: the first corners of all fields together, then the second, and so on.
    """
    match kind:
        case kinds.Integer():
            return list(dict.fromkeys((kind.low, kind.high)))
        case kinds.Number():
            return list(dict.fromkeys(kind.ends()))
        case kinds.Boolean():
            return [False, True]
        case kinds.Choice():
            return list(kind.values)
        case kinds.Text(pattern=None):
            return list(dict.fromkeys(("a" * kind.shortest, "a" * kind.longest)))
        case kinds.Text():
            raise SampleNotFound("A text", f"its pattern is {kind.pattern}")
        case kinds.Object():
            found = {field.name: _field_corners(field) for field in kind.fields}
            return [
                {name: values[number % len(values)] for name, values in found.items()}
                for number in range(max(map(len, found.values())))
            ]


def corner_inputs(contract: Contract) -> Iterator[BaseModel]:
    """List inputs at the edges, all different: where models break that do well on average.

    First the edges of all fields together; then each edge of each field, next to the least values
    of the others, and to their greatest. What the author's own validators refuse is left out.
    """
    edges = {field.name: _edges(field) for field in contract.fields}
    least = {name: values[0] for name, values in edges.items()}
    greatest = {name: _greatest(values) for name, values in edges.items()}
    together = (
        {name: value for name, value in zip(edges, row, strict=True) if value is not None}
        for row in zip_longest(*edges.values())
    )
    apart = (
        {**others, name: value}
        for others in (least, greatest)
        for name, values in edges.items()
        for value in values
    )
    seen = set()
    for values in (*({**least, **each} for each in together), greatest, *apart):
        inputs = allowed_inputs(contract, values)
        if inputs and (text := Row.of(inputs).json) not in seen:
            seen.add(text)
            yield inputs


def _edges(field: kinds.Field) -> list[Any]:
    """List what is worth trying of a field: its corners, what its author named, and around 0."""
    kind = field.kind
    found = [*_field_corners(field), *field.given]
    if isinstance(kind, kinds.Integer):
        found += [n for n in (-1, 0, 1, kind.low + 1, kind.high - 1) if kind.low <= n <= kind.high]
    if isinstance(kind, kinds.Number):
        low, high = kind.ends()
        found += [n for n in (-1.0, 0.0, 1.0, 1e-300) if low <= n <= high]
    return list(dict.fromkeys(value for value in found if value is not None))


def _greatest(values: list[Any]) -> Any:
    numbers = all(isinstance(value, int | float) for value in values)
    return max(values) if numbers else values[-1]


def _field_corners(field: kinds.Field) -> list[Any]:
    return given_values(field) if field.has_pattern else corners(field.kind)
