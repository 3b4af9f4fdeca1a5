"""Reading a request's inputs: every field checked, every field at fault named."""

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from stopgap.contracts import kinds, values
from stopgap.contracts.contract import Contract
from stopgap.contracts.given import Given, Raw, path_values
from stopgap.errors import RECEIVED_MAX, Fault, StopgapError

GIVEN_MAX = 100
"""Values that one request may bring; more are an attack, unless a contract has so many fields."""

NAME_MAX = 64
"""Characters of an unknown name that are compared with those that there are."""


class InputMalformed(StopgapError):
    """A value is missing, or cannot be read as what it should be."""


class InputNotAllowed(StopgapError):
    """Every value can be read, but one is not among those that the contract allows."""


def most_given(contract: Contract) -> int:
    """Tell how many values a request may bring; a field that is given twice is told as such."""
    return max(GIVEN_MAX, 2 * len(contract.fields))


def refuse_many(number: int, most: int) -> None:
    """Refuse a request that brings too many values.

    Raises:
        InputMalformed: it does.
    """
    if number > most:
        raise InputMalformed(f"A request may bring {most} values; this one has {number}.")


def read_inputs(contract: Contract, given: Sequence[Given]) -> BaseModel:
    """Validate a request's values as the contract's inputs.

    Raises:
        InputMalformed: a value is missing, given twice, or cannot be read.
        InputNotAllowed: each can be read, but one is not allowed.
    """
    refuse_many(len(given), most_given(contract))
    reading = _Reading(contract)
    for value in given:
        reading.add(value)
    return reading.finish()


class _Reading:
    """The values of one request, as far as they have been read."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.fields = {field.name: field for field in contract.fields}
        self.values: dict[str, Any] = {}
        self.seen: set[str] = set()
        self.empty: set[str] = set()
        self.malformed: list[Fault] = []
        self.not_allowed: list[Fault] = []

    def add(self, given: Given) -> None:
        """Read one value, or note what is wrong with it."""
        name = self.contract.names.get(given.name)
        if name is None:
            message = f"is not a field; {self._known(given.name)}"
            self.not_allowed.append(_fault(Fault.shorten(given.name), message, given))
            return
        if name in self.seen:
            self.malformed.append(_fault(name, "is given more than once", given))
            return
        self.seen.add(name)
        field = self.fields[name]
        if given.written and given.value == "" and not values.takes_empty(field.kind):
            self.empty.add(name)  # nothing between two slashes is nothing given
            return
        self._read(field, given)

    def _known(self, name: str) -> str:
        """Tell what is a field; for the first that is none, which was meant if it is nearly that.

        To compare a name takes up to a tenth of a millisecond for each field that there is.
        """
        known = ", ".join(self.fields)
        names = [] if self.not_allowed else self.contract.names
        for near in get_close_matches(name[:NAME_MAX], names, n=1):
            return f"did you mean {near}? The fields are {known}"
        return f"the fields are {known}"

    def _read(self, field: kinds.Field, given: Given) -> None:
        try:
            self.values[field.name] = _value(field.kind, given)
        except values.Unreadable:
            self.malformed.append(_fault(field.name, f"must be {field.kind.allowed()}", given))
        except values.OutOfBounds:
            self.not_allowed.append(_fault(field.name, f"must be {field.kind.allowed()}", given))

    def finish(self) -> BaseModel:
        """Note what is missing and what the author's own validators say; raise if there is any."""
        for name, field in self.fields.items():
            if field.required and (name not in self.seen or name in self.empty):
                message = f"is missing; it must be {field.kind.allowed()}"
                self.malformed.append(Fault(field=name, message=message))
        inputs = self._validate()
        order = list(self.fields)
        faults = sorted(
            self.malformed + self.not_allowed,
            key=lambda fault: order.index(fault.field) if fault.field in order else len(order),
        )
        if self.malformed:
            raise InputMalformed(_summary(faults), faults=faults)
        if inputs is None:
            raise InputNotAllowed(_summary(faults), faults=faults)
        return inputs

    def _validate(self) -> BaseModel | None:
        """Have pydantic hold what was read against patterns and the author's own validators."""
        unblamed = not (self.malformed or self.not_allowed)
        try:
            inputs = self.contract.inputs.model_validate(self.values, by_alias=False, by_name=True)
        except ValidationError as error:
            self.not_allowed += [
                self._fault_of(problem)
                for problem in error.errors(include_url=False)
                if unblamed or (problem["loc"] and problem["loc"][0] in self.values)
            ]
            return None
        return inputs if unblamed else None

    def _fault_of(self, problem: Any) -> Fault:
        """Turn what pydantic found (an author's own validator, a pattern) into a fault."""
        where = ".".join(str(part) for part in problem["loc"]) or "inputs"
        received = problem["input"]
        shown = Fault.shorten(received) if isinstance(received, str) else None
        message = values.reason(problem)
        if problem["type"] == "string_pattern_mismatch" and where in self.fields:
            message = f"must be {self.fields[where].kind.allowed()}"
        return Fault(field=where, message=message, received=shown)


def _value(kind: kinds.Scalar, given: Given) -> Any:
    if isinstance(given.value, Raw):
        raise values.Unreadable
    if given.written:
        return values.read_text(kind, str(given.value))
    return values.read_json(kind, given.value)


def _fault(field: str, message: str, given: Given) -> Fault:
    received = given.value
    if isinstance(received, Raw):
        message, received = f"{message}, in UTF-8", received.text
    if isinstance(received, bool) or _is_plain(received):
        return Fault(field=field, message=message, received=received)  # type: ignore[arg-type]  # _is_plain looked
    text = received if isinstance(received, str) else _json_beginning(received)
    return Fault(field=field, message=message, received=Fault.shorten(text))


def _is_plain(value: object) -> bool:
    """Tell whether a value is a number that can be repeated as it is: finite, not too long."""
    return isinstance(value, int | float) and abs(value) < 10**values.LONG_NUMBER


def _json_beginning(value: object) -> str:
    """Write the beginning of a JSON value, which may be long, or deeper than can be written."""
    text = ""
    for piece in json.JSONEncoder().iterencode(value):
        text += piece
        if len(text) > RECEIVED_MAX:
            break
    return text


def _summary(faults: Iterable[Fault]) -> str:
    fields = dict.fromkeys(fault.field for fault in faults)
    names = [name if name.strip() else f"'{name}'" for name in fields]  # `?=1` has an empty one
    subject = "1 field is" if len(names) == 1 else f"{len(names)} fields are"
    return f"{subject} at fault: {', '.join(names)}."


def read_path(contract: Contract, raw_path: str, more: Sequence[Given] = ()) -> BaseModel:
    """Validate a raw path, and what a query brought beside it, as the contract's inputs.

    Raises:
        InputMalformed: the path has other parts than the template, or see `read_inputs`.
        InputNotAllowed: as for `read_inputs`; who mistook the order is told the right address.
    """
    given = path_values(contract.path, raw_path)
    if given is None:
        return read_inputs(contract, [*_beginning(contract, raw_path), *more])
    try:
        return read_inputs(contract, [*given, *more])
    except (InputMalformed, InputNotAllowed) as refusal:
        if address := _meant(contract, raw_path, more):
            hint = f"Perhaps the values stand in another order than {contract.path}: try {address}"
            detail = f"{refusal.detail} {hint}"
            raise InputNotAllowed(detail, faults=refusal.faults) from refusal
        raise


def _beginning(contract: Contract, raw_path: str) -> list[Given]:
    """Read as much of a path of the wrong length as there is, so that its gaps have names."""
    parts = raw_path.removeprefix("/").split("/")
    if len(parts) > len(contract.segments):
        raise InputMalformed(f"The path has too many parts; it should look like {contract.path}")
    template = "/" + "/".join(contract.segments[: len(parts)])
    given = path_values(template, raw_path)
    if given is None:
        raise InputMalformed(
            f"The path has another fixed part; it should look like {contract.path}"
        )
    return given


def _meant(contract: Contract, raw_path: str, more: Sequence[Given]) -> str | None:
    """Tell the right address of a path whose values stand in an order known to be mistaken."""
    for template in contract.mistaken_paths:
        given = path_values(template, raw_path)
        if given is None:
            continue
        given += more
        try:
            read_inputs(contract, given)
        except (InputMalformed, InputNotAllowed):
            continue
        return contract.address({value.name: value.value for value in given})
    return None
