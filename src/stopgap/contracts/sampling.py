"""Sampling: inputs that a contract and its author's validators allow, drawn until they do."""

import random
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import GRID, SampleNotFound, below, draw_field
from stopgap.contracts.values import first_reason

TRIES = 1_000
"""Draws after which inputs are given up that the author's own validators keep refusing."""

DrawField = Callable[[kinds.Field, random.Random], Any]


def sample_inputs(contract: Contract, source: random.Random) -> BaseModel:
    """Draw inputs that the contract allows.

    A text with a pattern is one of its examples, or its default.

    Raises:
        SampleNotFound: such a text has none, or the author's own validators refuse every draw.
    """
    return _first_allowed(contract, source, draw_field)[1]


def sample_values(contract: Contract, source: random.Random) -> dict[str, Any]:
    """Draw values by name that a client may send, before the author's validators turn them.

    Raises:
        SampleNotFound: as `sample_inputs`.
    """
    return _first_allowed(contract, source, draw_field)[0]


def scattered_inputs(contract: Contract, source: random.Random) -> BaseModel:
    """Draw inputs of every magnitude: of a wide range, small numbers as likely as large ones.

    Even draws from 0 to 2^53 would hardly ever be below 2^43, where all real inputs are.

    Raises:
        SampleNotFound: as `sample_inputs`.
    """
    return _first_allowed(contract, source, _scattered)[1]


def _scattered(field: kinds.Field, source: random.Random) -> Any:
    kind = field.kind
    if field.examples and not below(8, source):
        return field.examples[below(len(field.examples), source)]
    if not isinstance(kind, kinds.Integer | kinds.Number) or source.getrandbits(1):
        return draw_field(field, source)
    low, high = (kind.low, kind.high) if isinstance(kind, kinds.Integer) else kind.ends()
    size = 2.0 ** (below(64, source) - 10) * (source.getrandbits(53) / GRID)
    near = min(max(0.0, low), high) + (size if source.getrandbits(1) else -size)
    near = min(max(near, low), high)
    return min(max(int(near), int(low)), int(high)) if isinstance(kind, kinds.Integer) else near


def _first_allowed(
    contract: Contract,
    source: random.Random,
    draw_one: DrawField,
) -> tuple[dict[str, Any], BaseModel]:
    """Draw until the contract allows it; tell what was drawn, and the inputs that it makes.

    After half of all tries, fields that have examples are one of those.
    """
    refusal: ValidationError | None = None
    for tried in range(TRIES):
        values = {field.name: draw_one(field, source) for field in contract.fields}
        if tried >= TRIES // 2:
            values |= {
                field.name: field.examples[below(len(field.examples), source)]
                for field in contract.fields
                if field.examples
            }
        try:
            return values, contract.inputs.model_validate(values, by_alias=False, by_name=True)
        except ValidationError as error:
            refusal = error
    said = f", the last one as {first_reason(refusal)}" if refusal else ""
    raise SampleNotFound(contract.name, f"{TRIES:,} draws were refused{said}") from refusal
