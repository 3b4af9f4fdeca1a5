"""Drawing values that keep a promise: evenly, by a source of randomness that is handed in."""

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from stopgap.contracts import kinds
from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import first_reason, reason

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.'&éßñЖ字😀"
"""What texts are drawn from: every letter is printable; some take more than one byte."""

GRID = 2**53 - 1
"""Steps of the grid that numbers are drawn from: as fine as a double can tell, both ends on it."""

TRIES = 1_000
"""Draws after which inputs are given up that the author's own validators keep refusing."""


PATTERNED = "it is a text with a pattern"


class SampleNotFound(ContractInvalid):
    """No sample of a contract's inputs can be drawn: a pattern or a validator needs an example."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be sampled: {reason}; give it an example that is allowed.")


def draw(kind: kinds.Kind, source: random.Random) -> Any:
    """Draw one value of a kind, each as likely as any other; of a record, one of each field.

    Only `source.getrandbits` is used, so that a source whose bits are the same in every Python
    gives the same draws there.

    Raises:
        SampleNotFound: the kind is a text with a pattern; patterns are held, not drawn from.
    """
    match kind:
        case kinds.Integer():
            return kind.low + _below(kind.high - kind.low + 1, source)
        case kinds.Number():
            return _number(kind, source)
        case kinds.Boolean():
            return bool(source.getrandbits(1))
        case kinds.Choice():
            return kind.values[_below(len(kind.values), source)]
        case kinds.Text():
            return _text(kind, source)
        case kinds.Record():
            return {field.name: draw(field.kind, source) for field in kind.fields}


def drawer(kind: kinds.Kind, source: random.Random) -> Callable[[], Any]:
    """Make what draws from one kind again and again, as cheaply as can be; it draws as `draw` does.

    An integer takes 0.1 µs, and 0.4 µs where `draw` finds out each time what to do.
    """
    if not isinstance(kind, kinds.Integer):
        return lambda: draw(kind, source)
    low, count = kind.low, kind.high - kind.low + 1
    bits, getrandbits = (count - 1).bit_length(), source.getrandbits

    def draw_integer() -> int:
        while (drawn := getrandbits(bits)) >= count:
            pass
        return low + drawn

    return draw_integer


def _below(count: int, source: random.Random) -> int:
    """Draw from 0 up to, but not, `count`; a draw that would tilt the odds is thrown away."""
    bits = (count - 1).bit_length()
    while (drawn := source.getrandbits(bits) if bits else 0) >= count:
        pass
    return drawn


def _number(kind: kinds.Number, source: random.Random) -> float:
    low, high = kind.ends()
    share = source.getrandbits(53) / GRID
    drawn = low * (1 - share) + high * share  # never `high - low`, which may be infinite
    return min(max(drawn, low), high)


def _text(kind: kinds.Text, source: random.Random) -> str:
    if kind.pattern is not None:
        raise SampleNotFound("A text", f"its pattern is {kind.pattern}")
    length = kind.shortest + _below(kind.longest - kind.shortest + 1, source)
    return "".join(LETTERS[_below(len(LETTERS), source)] for _ in range(length))


def corners(kind: kinds.Kind) -> list[Any]:
    """List the values at the edges of a kind: both ends, each choice, shortest and longest texts.

    A record's are few: the first corners of all fields together, then the second, and so on.
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
        case kinds.Record():
            found = {field.name: _field_corners(field) for field in kind.fields}
            return [
                {name: values[number % len(values)] for name, values in found.items()}
                for number in range(max(map(len, found.values())))
            ]


def example_inputs(contract: Contract) -> dict[str, Any]:
    """Make inputs to show to people: the contract's first example, or what its fields tell.

    An optional field that has neither an example nor a place in the path is left out.
    """
    if contract.examples:
        return dict(contract.examples[0].inputs)
    return {
        field.name: _example(field)
        for field in contract.fields
        if field.required or field.examples or field.name in contract.placed
    }


def _example(field: kinds.Field) -> Any:
    if field.examples:
        return field.examples[0]
    return corners(field.kind)[0] if field.required else field.default


def sample_inputs(contract: Contract, source: random.Random) -> BaseModel:
    """Draw inputs that the contract allows.

    A text with a pattern is one of its examples, or its default.

    Raises:
        SampleNotFound: such a text has none, or the author's own validators refuse every draw.
    """
    return _first_allowed(contract, source, _field)[1]


def sample_values(contract: Contract, source: random.Random) -> dict[str, Any]:
    """Draw values by name that a client may send, before the author's validators turn them.

    Raises:
        SampleNotFound: as `sample_inputs`.
    """
    return _first_allowed(contract, source, _field)[0]


def check_samples(contract: Contract, source: random.Random) -> None:
    """Refuse a contract that nobody could be shown, tried or verified with.

    Raises:
        ContractInvalid: there are no inputs of it, an example or a default is refused, or its
            inputs are more than their fields can tell, which a model in its own process is not
            given.
    """
    for field in contract.fields:
        if _has_pattern(field) and not _given(field):
            raise SampleNotFound(f"{contract.name}: {field.name}", PATTERNED)
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
    beside = {field.name: _field(field, source) for field in contract.fields}
    for field in contract.fields:
        for given in _given(field):
            _check_given(contract, field, beside | {field.name: given})
    row = Row.of(inputs := sample_inputs(contract, source))
    again = Row(contract.inputs, row.json).inputs
    if inputs != again and again == Row(contract.inputs, row.json).inputs:
        raise ContractInvalid(
            f"{contract.name}: its validators keep more than the fields' values, which is all that "
            "a model in another process is given; have a property, or model_post_init, make it."
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


def scattered_inputs(contract: Contract, source: random.Random) -> BaseModel:
    """Draw inputs of every magnitude: of a wide range, small numbers as likely as large ones.

    Even draws from 0 to 2^53 would hardly ever be below 2^43, where all real inputs are.

    Raises:
        SampleNotFound: as `sample_inputs`.
    """
    return _first_allowed(contract, source, _scattered)[1]


def _scattered(field: kinds.Field, source: random.Random) -> Any:
    kind = field.kind
    if field.examples and not _below(8, source):
        return field.examples[_below(len(field.examples), source)]
    if not isinstance(kind, kinds.Integer | kinds.Number) or source.getrandbits(1):
        return _field(field, source)
    low, high = (kind.low, kind.high) if isinstance(kind, kinds.Integer) else kind.ends()
    size = 2.0 ** (_below(64, source) - 10) * (source.getrandbits(53) / GRID)
    near = min(max(0.0, low), high) + (size if source.getrandbits(1) else -size)
    near = min(max(near, low), high)
    return min(max(int(near), int(low)), int(high)) if isinstance(kind, kinds.Integer) else near


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
        if (inputs := allowed(contract, values)) and (text := Row.of(inputs).json) not in seen:
            seen.add(text)
            yield inputs


def _edges(field: kinds.Field) -> list[Any]:
    """List what is worth trying of a field: its corners, what its author named, and around 0."""
    kind = field.kind
    found = [*_field_corners(field), *field.examples]
    if not field.required:
        found.append(field.default)
    if isinstance(kind, kinds.Integer):
        found += [n for n in (-1, 0, 1, kind.low + 1, kind.high - 1) if kind.low <= n <= kind.high]
    if isinstance(kind, kinds.Number):
        low, high = kind.ends()
        found += [n for n in (-1.0, 0.0, 1.0, 1e-300) if low <= n <= high]
    return list(dict.fromkeys(value for value in found if value is not None))


def _greatest(values: list[Any]) -> Any:
    numbers = all(isinstance(value, int | float) for value in values)
    return max(values) if numbers else values[-1]


def allowed(contract: Contract, values: Mapping[str, Any]) -> BaseModel | None:
    """Make inputs of values by name; None, where the contract or its author refuses them."""
    try:
        return contract.inputs.model_validate(values, by_alias=False, by_name=True)
    except ValidationError:
        return None


def repeats(contract: Contract, json: bytes) -> bool:
    """Tell whether a client that sends the values of a row gets the row.

    Where an author's validators turn values into others, nobody knows what was sent.
    """
    values = from_json(json)
    inputs = allowed(contract, values) if isinstance(values, dict) else None
    return inputs is not None and Row.of(inputs).json == json


def _first_allowed(
    contract: Contract,
    source: random.Random,
    draw_field: Callable[[kinds.Field, random.Random], Any],
) -> tuple[dict[str, Any], BaseModel]:
    """Draw until the contract allows it; tell what was drawn, and the inputs that it makes.

    After half of all tries, fields that have examples are one of those.
    """
    refusal: ValidationError | None = None
    for tried in range(TRIES):
        values = {field.name: draw_field(field, source) for field in contract.fields}
        if tried >= TRIES // 2:
            values |= {
                field.name: field.examples[_below(len(field.examples), source)]
                for field in contract.fields
                if field.examples
            }
        try:
            return values, contract.inputs.model_validate(values, by_alias=False, by_name=True)
        except ValidationError as error:
            refusal = error
    said = f", the last one as {first_reason(refusal)}" if refusal else ""
    raise SampleNotFound(contract.name, f"{TRIES:,} draws were refused{said}") from refusal


def _field(field: kinds.Field, source: random.Random) -> Any:
    if _has_pattern(field):
        known = _known(field)
        return known[_below(len(known), source)]
    return draw(field.kind, source)


def _field_corners(field: kinds.Field) -> list[Any]:
    return _known(field) if _has_pattern(field) else corners(field.kind)


def _has_pattern(field: kinds.Field) -> bool:
    return isinstance(field.kind, kinds.Text) and field.kind.pattern is not None


def _known(field: kinds.Field) -> list[Any]:
    """List the values of a field that its author has given."""
    if not (known := _given(field)):
        raise SampleNotFound(field.name, PATTERNED)
    return known


def _given(field: kinds.Field) -> list[Any]:
    defaults = [] if field.required else [field.default]
    return [*field.examples, *defaults]
