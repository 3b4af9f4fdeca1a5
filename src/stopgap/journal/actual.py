"""The actual value beside an answer: what really came of it, read as the contract's output is."""

from collections.abc import Sequence

from stopgap.contracts import kinds
from stopgap.contracts.json_object import JsonMalformed, read_json_object
from stopgap.contracts.values import OutOfBounds, Unreadable, breach, read_text
from stopgap.errors import Fault, StopgapError


class OutcomeInvalid(StopgapError):
    """The reported outcome is not of the type that the contract promises."""

    def __init__(self, message: str, received: str) -> None:
        shown = Fault.shorten(received)
        fault = Fault(field="actual", message=message, received=shown)
        super().__init__(
            f"{shown!r} cannot be what came of the answer: it {message}.", faults=[fault]
        )


def read_actual(kind: kinds.Kind, text: str) -> object:
    """Read what happened: of the promised type, in whatever range.

    Where that is an object it is read as JSON, and may have some of its fields alone: what came of
    a probability, nobody knows.

    Raises:
        OutcomeInvalid: it is of another type.
    """
    if isinstance(kind, kinds.Object):
        return _object(kind.fields, text)
    try:
        value: object = read_text(kinds.unbounded(kind), text)
    except (Unreadable, OutOfBounds) as error:
        raise OutcomeInvalid(f"is not {kinds.unbounded(kind).allowed()}", text) from error
    return value


def _object(fields: Sequence[kinds.Field], text: str) -> object:
    try:
        value = read_json_object(text.encode())
    except (JsonMalformed, UnicodeError) as error:
        raise OutcomeInvalid("is no JSON object, each name once", text) from error
    left = {each.name: each for each in fields}
    if not value or not value.keys() <= left.keys():
        raise OutcomeInvalid(f"has other names than {', '.join(left)}, or none", text)
    for name, each in value.items():
        if broken := breach(kinds.unbounded(left[name].kind), each):
            raise OutcomeInvalid(f"has a {name} that {broken}", text)
    return value
