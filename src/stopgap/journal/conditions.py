"""Conditions in people's words, as pages and commands take them: `may`, `3000..3500`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

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
        held: Of a value that none of them reads so: its contract may have dropped a choice since,
            or changed its type.

    Raises:
        FilterInvalid: the value cannot be one of this input's.
    """
    called = [each.names[name] for each in contracts if name in each.names]
    own = name if name in called or not called else called[0]
    meant = [(each, field) for each in contracts for field in each.fields if field.name == own]
    aliases = tuple((each.name, alias) for each, field in meant for alias in field.aliases)
    asked = Condition(part="input", name=own, aliases=aliases, low=text, high=text)
    return _read([field.kind for _, field in meant], name, asked, held)


def answer_condition(
    contracts: Sequence[Contract], name: str, text: str, held: Held = _nothing
) -> Condition:
    """Say that an answer, or a member of it, has a value or lies in a range; see inputs.

    Raises:
        FilterInvalid: the value cannot be an answer's.
    """
    found = [kind for each in contracts for own, kind in members(each.output_kind) if own == name]
    asked = Condition(part="output", name=name, low=text, high=text)
    return _read(found, name or "answer", asked, held)


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


def _read(found: Sequence[kinds.Scalar], field: str, asked: Condition, held: Held) -> Condition:
    """Read what is asked for, as it stands, as each contract does that can; else refuse.

    What any reads as a range is nothing else: no index seeks a range or a text at once.
    """
    text = str(asked.low)
    values: list[Value] = []
    refusals = []
    for kind in found or (None,):
        try:
            low, high = _range(kind, field, text)
        except FilterInvalid as refusal:
            refusals.append(refusal)
            continue
        if low != high:
            return replace(asked, low=low, high=high)
        values.append(low)
    old = [each for each in _formerly(found, text) if each not in values]
    if old and held(_any_of(asked, old)):
        values += old
    if not values:
        raise refusals[0]
    return _any_of(asked, values)


def _any_of(asked: Condition, values: Sequence[Value]) -> Condition:
    first, *others = dict.fromkeys(values)
    return replace(asked, low=first, high=first, others=tuple(others))


def _formerly(found: Sequence[kinds.Scalar], text: str) -> Iterator[Value]:
    """Tell what a text may have meant when the field was of another type.

    Truths share terms with 0 and 1, and all of these would be fetched to look for the others: so
    they are looked for only where there are but words.
    """
    yield text
    looks = _by_looks(text)
    words = all(isinstance(kind, kinds.Choice | kinds.Text) for kind in found)
    if looks != text and (words or looks not in {0, 1}):
        yield looks


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
    if kind is None:
        return _by_looks(text)
    numeric = isinstance(kind, NUMERIC)
    try:
        value: Value = read_text(kinds.Number() if numeric else kind, text)
    except (Unreadable, OutOfBounds) as error:
        raise _invalid(field, text, "a number" if numeric else kind.allowed()) from error
    return value


def _by_looks(text: str) -> Value:
    for kind in (kinds.Boolean(), kinds.Number()):
        with suppress(Unreadable, OutOfBounds):
            value: Value = read_text(kind, text)
            return value
    return text
