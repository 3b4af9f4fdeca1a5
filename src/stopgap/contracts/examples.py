"""Examples: inputs to show to people."""

from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners


def example_inputs(contract: Contract) -> dict[str, Any]:
    """Make inputs to show to people: the contract's first example, or what its fields tell.

    An optional field that has neither an example nor a place in the path is left out.
    """
    if contract.examples:
        placed = (f for f in contract.fields if f.name in contract.placed and not f.required)
        return {field.name: field.default for field in placed} | contract.examples[0].inputs
    return {
        field.name: _example(field)
        for field in contract.fields
        if field.required or field.examples or field.name in contract.placed
    }


def _example(field: kinds.Field) -> Any:
    if field.examples:
        return field.examples[0]
    return corners(field.kind)[0] if field.required else field.default
