"""Soundness: a contract is refused that nobody could be shown, tried or verified with."""

import random
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from stopgap.contracts import kinds
from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import PATTERNED, SampleNotFound, draw, draw_field
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs
from stopgap.contracts.values import breach, reason


def check_sound(contract: Contract, source: random.Random) -> None:
    """Refuse a contract that nobody could be shown, tried or verified with.

    Raises:
        ContractInvalid: there are no inputs of it, an example or a default is refused, its inputs
            are more than their fields can tell, which a model in its own process is not given, or
            the stand-in's answer would be refused.
    """
    for field in contract.fields:
        if field.has_pattern and not field.given:
            raise SampleNotFound(f"{contract.name}: {field.name}", PATTERNED)
    if broken := breach(contract.output_kind, draw(contract.output_kind, source)):
        raise ContractInvalid(f"{contract.name}: its stand-in's answer {broken}.")
    try:
        _check_inputs(contract, source)
    except ContractInvalid:
        raise
    except Exception as error:  # an author's validator may raise anything
        raise ContractInvalid(
            f"{contract.name}: its own code raised {type(error).__name__}: {error}; what a "
            "validator refuses, it refuses with ValueError."
        ) from error


def _check_inputs(contract: Contract, source: random.Random) -> None:
    beside = {field.name: draw_field(field, source) for field in contract.fields}
    for field in contract.fields:
        for given in field.given:
            _check_given(contract, field, beside | {field.name: given})
    inputs = sample_inputs(contract, source)
    _check_returned(contract, inputs)
    row = Row.of(inputs)
    again = Row(contract.inputs, row.json).inputs
    if inputs != again and again == Row(contract.inputs, row.json).inputs:
        raise ContractInvalid(
            f"{contract.name}: its validators keep more than the fields' values, which is all that "
            "a model in another process is given; have a property, or model_post_init, make it."
        )


def _check_returned(contract: Contract, inputs: BaseModel | None) -> None:
    """Refuse a validator that returns nothing: what the client sent would be lost."""
    made = {"inputs": None} if inputs is None else dict(inputs)
    for name, value in made.items():
        if value is None:
            raise ContractInvalid(
                f"{contract.name}: {name}: its validator returns None; does it lack `return`?"
            )


def _check_given(contract: Contract, field: kinds.Field, values: Mapping[str, Any]) -> None:
    """Refuse an example or a default that is refused for itself, whatever stands beside it."""
    try:
        contract.inputs.model_validate(values, by_alias=False, by_name=True)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            if problem["loc"][:1] == (field.name,):
                raise ContractInvalid(
                    f"{contract.name}: {field.name}: {values[field.name]!r}, an example or "
                    f"default, is refused: {reason(problem)}."
                ) from error
