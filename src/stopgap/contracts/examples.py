"""Examples: inputs to show to people."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.drawing import draw_field
from stopgap.contracts.row import allowed_inputs
from stopgap.contracts.sampling import TRIES
from stopgap.contracts.values import read_authors

CORNERS_MAX = 256
"""Corners of all fields together that are tried before any are drawn."""


def example_inputs(contract: Contract) -> dict[str, Any]:
    """Make inputs to show to people: the contract's first example, or what its fields tell.

    What the fields tell is tried together, as the author's own validators may refuse it: then it is
    other corners, or what is drawn, the same each time. An optional field that has neither an
    example nor a place in the path is left out.
    """
    if contract.examples:
        return _golden(contract)
    fields = [
        field
        for field in contract.fields
        if field.required or field.examples or field.name in contract.placed
    ]
    tried = _tried(fields)
    told = next(tried)
    if _stands(contract, told):
        return told
    return next((each for each in tried if _stands(contract, each)), told)


def _golden(contract: Contract) -> dict[str, Any]:
    shown = {
        field.name: field.default
        for field in contract.fields
        if field.name in contract.placed and not field.required
    }
    known = {field.name: field.kind for field in contract.fields}
    for name, value in contract.examples[0].inputs.items():
        shown[name] = read_authors(known[name], value)
    return shown


def _tried(fields: Sequence[kinds.Field]) -> Iterator[dict[str, Any]]:
    """List what may be shown, the simplest first."""
    names = [field.name for field in fields]
    for values in islice(product(*map(_choices, fields)), CORNERS_MAX):
        yield dict(zip(names, values, strict=True))
    source = random.Random(0)  # noqa: S311  # the same inputs each time
    for _ in range(TRIES):
        yield {field.name: draw_field(field, source) for field in fields}


def _choices(field: kinds.Field) -> Sequence[Any]:
    if field.examples:
        return field.examples
    if not field.required:
        return [field.default]
    kind = field.kind
    if isinstance(kind, kinds.Text) and kind.pattern is None:
        return ["a" * kind.shortest, "a" * min(kind.shortest + 1, kind.longest)]
    return corners(kind)


def _stands(contract: Contract, values: Mapping[str, Any]) -> bool:
    try:
        return allowed_inputs(contract, values) is not None
    except Exception:  # noqa: BLE001  # a contract's own validator may raise anything
        return False
