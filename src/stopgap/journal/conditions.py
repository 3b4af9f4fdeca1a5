"""Conditions in people's words, as pages and commands take them: `may`, `3000..3500`."""

from collections.abc import Callable, Sequence
from typing import Literal

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.values import OutOfBounds, Unreadable, read_text
from stopgap.errors import Fault, StopgapError
from stopgap.journal.filters import Condition, Value

NUMERIC = (kinds.Integer, kinds.Number)

Held = Callable[[Condition], bool]
"""Tells whether a record meets a condition."""


class FilterInvalid(StopgapError):
    """A filter's value cannot be read, so no answer could meet it."""


def _invalid(field: str, received: str, allowed: str) -> FilterInvalid:
    shown = Fault.shorten(received)
    fault = Fault(field=field, message=f"must be {allowed}", received=shown)
    return FilterInvalid(f"{shown!r} is not {allowed}.", faults=[fault])


def _nothing(_condition: Condition) -> bool:
    return False


def input_condition(
    contracts: Sequence[Contract], name: str, text: str, held: Held = _nothing
) -> Condition:
    """Say that an input has a value, or lies in a range: `10..20`, `10..`, `..20`.

    Args:
        contracts: Those that may have the input; they know its other names and how it is read.
            If an input of one of them has this very name it is meant, even where another contract
            has the name for an alias. If none knows it, the value is read by its looks.
        held: Of a value that none of them allows: its contract may have dropped a choice since.

    Raises:
        FilterInvalid: the value cannot be one of this input's.
    """
    called = [each.names[name] for each in contracts if name in each.names]
    own = name if name in called or not called else called[0]
    found = [field.kind for each in contracts for field in each.fields if field.name == own]
    return _condition("input", own, held, (found, name, text))


def answer_condition(
    contracts: Sequence[Contract], name: str, text: str, held: Held = _nothing
) -> Condition:
    """Say that an answer, or a member of it, has a value or lies in a range; see inputs.

    Raises:
        FilterInvalid: the value cannot be an answer's.
    """
    found = [kind for each in contracts for own, kind in members(each.output_kind) if own == name]
    return _condition("output", name, held, (found, name or "answer", text))


def members(kind: kinds.Kind) -> list[tuple[str, kinds.Scalar]]:
    """List the members of an output; one that is no object is a member without a name."""
    if isinstance(kind, kinds.Object):
        return [(field.name, field.kind) for field in kind.fields]
    return [("", kind)]


def names_served(contracts: Sequence[Contract]) -> Sequence[tuple[str, str]]:
    """List what can be asked for of some contracts, as `Journal.fields` does of its records."""
    inputs = [("input", field.name) for each in contracts for field in each.fields]
    outputs = [("output", name) for each in contracts for name, _ in members(each.output_kind)]
    return [*inputs, *outputs]


def _condition(
    part: Literal["input", "output"],
    name: str,
    held: Held,
    asked: tuple[Sequence[kinds.Scalar], str, str],
) -> Condition:
    """Read what is asked for; what no contract allows is meant as it stands where it is held."""
    try:
        low, high = _range_of_any(*asked)
    except FilterInvalid:
        as_it_stands = Condition(part=part, name=name, low=asked[-1], high=asked[-1])
        if not held(as_it_stands):
            raise
        return as_it_stands
    return Condition(part=part, name=name, low=low, high=high)


def _range_of_any(found: Sequence[kinds.Scalar], field: str, text: str) -> tuple[Value, Value]:
    """Read a value, or two ends, as the first contract does that can; else refuse as the first."""
    refusals = []
    for kind in found or (None,):
        try:
            return _range(kind, field, text)
        except FilterInvalid as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _range(kind: kinds.Scalar | None, field: str, text: str) -> tuple[Value, Value]:
    """Read a value, or two ends with `..` between them, of which one may be left open."""
    low, dots, high = text.partition("..")
    if not dots or isinstance(kind, kinds.Choice | kinds.Text | kinds.Boolean):
        value = _value(kind, field, text)
        return value, value
    ends = (low or str(-kinds.NUMBER_MAX), high or str(kinds.NUMBER_MAX))
    first, last = (float(_value(kinds.Number(), field, end)) for end in ends)
    if first > last:
        raise _invalid(field, text, "a range from the lesser to the greater")
    return first, last


def _value(kind: kinds.Scalar | None, field: str, text: str) -> Value:
    """Read a value as its contract does; where no contract is served that has it, by its looks."""
    value: Value
    try:
        if kind is not None:
            value = read_text(kinds.Number() if isinstance(kind, NUMERIC) else kind, text)
            return value
        return text == "true" if text in {"true", "false"} else _number_or_text(text)
    except (Unreadable, OutOfBounds) as error:
        wanted = "a number" if kind is None or isinstance(kind, NUMERIC) else kind.allowed()
        raise _invalid(field, text, wanted) from error


def _number_or_text(text: str) -> Value:
    try:
        value: float = read_text(kinds.Number(), text)
    except Unreadable:
        return text
    return value
