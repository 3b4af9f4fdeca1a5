"""Asking on a page: a contract's inputs as a form, filled in, with what is wrong beside each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.values import OutOfBounds, read_text, write_text
from stopgap.errors import Fault


@dataclass(frozen=True, kw_only=True)
class Question:
    """One field of a form."""

    name: str
    label: str
    unit: str
    hint: str
    value: str  # what stands in it
    options: Sequence[tuple[str, str]]  # of a list: value and words; empty for a text field
    inputmode: str  # which keys a telephone shows
    required: bool
    error: str


@dataclass(frozen=True, kw_only=True)
class Objection:
    """What is wrong with a form, in a line above it that leads to the field."""

    id: str  # of the field's control; empty where the form has no such field
    label: str
    message: str


def questions(
    contract: Contract,
    given: Mapping[str, str] | None = None,
    faults: Sequence[Fault] = (),
) -> list[Question]:
    """Make a form of a contract.

    Args:
        contract: Whose inputs are asked for.
        given: What somebody has filled in; None for values that are a sensible start.
        faults: What is wrong with it.
    """
    values = starting_values(contract) if given is None else given
    told: dict[str, str] = {}
    for fault in faults:
        told.setdefault(fault.field, _sentence(fault.message))
    return [
        _question(field, values.get(field.name, ""), told.get(field.name, ""))
        for field in contract.fields
    ]


def _question(field: kinds.Field, given: str, error: str) -> Question:
    value = _chosen(field, given)
    return Question(
        name=field.name,
        label=field.title,
        unit=field.unit,
        hint=_hint(field),
        value=value,
        options=_options(field, value),
        inputmode=_inputmode(field.kind),
        required=field.required,
        error=error,
    )


def objections(contract: Contract, faults: Sequence[Fault]) -> list[Objection]:
    """List what is wrong with a form, field by field."""
    titles = {field.name: field.title for field in contract.fields}
    return [
        Objection(
            id=f"field-{fault.field}" if fault.field in titles else "",
            label=titles.get(fault.field, fault.field),
            message=fault.message,
        )
        for fault in faults
    ]


def starting_values(contract: Contract) -> dict[str, str]:
    """Write the values that a form starts with: the contract's example, else its defaults."""
    defaults = {field.name: field.default for field in contract.fields if not field.required}
    known = defaults | example_inputs(contract)
    return {name: write_text(value) for name, value in known.items() if value is not None}


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


def _chosen(field: kinds.Field, value: str) -> str:
    """Find the option that a value means, however it is spelt; another value stays as it is."""
    if not isinstance(field.kind, kinds.Choice):
        return value
    try:
        return str(read_text(field.kind, value))
    except OutOfBounds:
        return value


def _options(field: kinds.Field, value: str) -> list[tuple[str, str]]:
    """List what may be chosen; a value that is none of it is kept, for its sender to see."""
    match field.kind:
        case kinds.Choice(values=values):
            found = [(each, _words(each)) for each in values]
        case kinds.Boolean():
            found = [("true", "Yes"), ("false", "No")]
        case _:
            return []
    if not field.required and field.default is None:
        found.insert(0, ("", "(not given)"))
    if value and value not in dict(found):
        found.append((value, value))
    return found


def _words(value: str) -> str:
    """Write a value of a list for people: `january` as January; what has capitals stays."""
    return value.capitalize() if value.islower() and value.isalpha() else value


def _inputmode(kind: kinds.Scalar) -> str:
    match kind:
        case kinds.Integer(low=low) if low >= 0:
            return "numeric"
        case kinds.Number(low=low) if low >= 0:
            return "decimal"
        case _:
            return ""


def _hint(field: kinds.Field) -> str:
    """Tell what a field is, which values it takes by its author's bounds, and if it is optional."""
    optional = "" if field.required else "Optional."
    return " ".join(part for part in (field.description, _range(field.kind), optional) if part)


def _range(kind: kinds.Scalar) -> str:
    match kind:
        case kinds.Integer(low=low, high=high) if high == kinds.INTEGER_MAX:
            return "A whole number." if low < 0 else f"A whole number, {low} or more."
        case kinds.Integer(low=low, high=high):
            return f"A whole number from {low} to {high}."
        case kinds.Number():
            return _sentence(kind.allowed())
        case kinds.Text(longest=longest) if longest < kinds.TEXT_MAX:
            return f"Up to {longest} characters."
        case _:
            return ""
