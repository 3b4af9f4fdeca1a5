"""The outcome of an answer: what really came of it, read as the contract's output is."""

from dataclasses import replace

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


def read_outcome(kind: kinds.Kind, text: str) -> object:
    """Read what happened: of the promised type, in whatever range; JSON where that is an object.

    Raises:
        OutcomeInvalid: it is of another type.
    """
    if isinstance(kind, kinds.Object):
        fields = (replace(each, kind=_unbounded(each.kind)) for each in kind.fields)
        return _object(replace(kind, fields=tuple(fields)), text)
    try:
        value: object = read_text(_unbounded(kind), text)
    except (Unreadable, OutOfBounds) as error:
        raise OutcomeInvalid(f"is not {_unbounded(kind).allowed()}", text) from error
    return value


def _object(kind: kinds.Object, text: str) -> object:
    try:
        value = read_json_object(text.encode())
    except (JsonMalformed, UnicodeError) as error:
        raise OutcomeInvalid("is no JSON object, each name once", text) from error
    if broken := breach(kind, value):
        raise OutcomeInvalid(broken, text)
    return value


def _unbounded(kind: kinds.Scalar) -> kinds.Scalar:
    match kind:
        case kinds.Integer():
            return kinds.Integer(low=-kinds.INTEGER_MAX)
        case kinds.Number():
            return kinds.Number()
    return kind
