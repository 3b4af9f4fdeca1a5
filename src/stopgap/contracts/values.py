"""Reading one value: from a path, query or form as text, or from JSON as it stands."""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from stopgap.contracts import kinds
from stopgap.contracts.spellings import fold

DIGITS = re.compile(r"[0-9]{1,16}")
SIGNED_DIGITS = re.compile(r"-?[0-9]{1,16}")
DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
"""Long enough for every double, written without an exponent."""
UNPRINTABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters, line separators and changes of direction: no text holds them."""
PRINTABLE = re.compile(f"[^{UNPRINTABLE}\ud800-\udfff]*")
LONG_NUMBER = 40  # digits; longer ones are repeated to their sender as text, cut
BOOLEANS = {"true": True, "false": False}


class Unreadable(Exception):
    """The value cannot be read as its kind at all: `abc` where digits are."""


class OutOfBounds(Exception):
    """The value was read, and is not allowed: 13 where the range ends at 12."""


def read_text(kind: kinds.Scalar, text: str) -> Any:
    """Read a value from the text of a path, query or form.

    Raises:
        Unreadable: it is not written as its kind is.
        OutOfBounds: it is not allowed.
    """
    if isinstance(kind, kinds.Integer):
        grammar = DIGITS if kind.low >= 0 else SIGNED_DIGITS
        if not grammar.fullmatch(text):
            raise Unreadable
        return _within(kind, int(text))
    if isinstance(kind, kinds.Number):
        if not DECIMAL.fullmatch(text):
            raise Unreadable
        return _within(kind, float(text))
    if isinstance(kind, kinds.Boolean):
        if text not in BOOLEANS:
            raise Unreadable
        return BOOLEANS[text]
    return _read_words(kind, text)


def read_json(kind: kinds.Scalar, value: object) -> Any:
    """Read a value from JSON: numbers are numbers, never texts or booleans.

    Raises:
        Unreadable: it is of another JSON type.
        OutOfBounds: it is not allowed.
    """
    if isinstance(kind, kinds.Choice | kinds.Text):
        return _read_words(kind, value)
    if isinstance(kind, kinds.Boolean):
        if not isinstance(value, bool):
            raise Unreadable
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable
    if isinstance(kind, kinds.Integer):
        if isinstance(value, float) and not value.is_integer():
            raise Unreadable
        return _within(kind, int(value))  # 5.0 is an integer, in JavaScript and in JSON Schema
    return _within(kind, _as_float(value))


def read_authors(kind: kinds.Scalar, value: object) -> Any:
    """Read an author's example as JSON is read; a number stays as it is written: 80, not 80.0.

    Raises:
        Unreadable, OutOfBounds: as `read_json`.
    """
    read: object = read_json(kind, value)
    return value if isinstance(kind, kinds.Number) else read


def reason(problem: Mapping[str, Any]) -> str:
    """Tell what pydantic found, an author's own words as they stand."""
    if problem["type"] in {"value_error", "assertion_error"}:
        return str(problem["ctx"]["error"]) or str(problem["msg"])
    return str(problem["msg"])


def first_reason(refusal: ValidationError) -> str:
    """Tell the first thing that pydantic found, in a line."""
    problem = refusal.errors(include_url=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {reason(problem)}" if where else reason(problem)


def check_type(kind: kinds.Scalar, value: object) -> None:
    """Hold a JSON value against its kind's JSON type alone.

    Raises:
        Unreadable: it is of another.
    """
    match kind:
        case kinds.Boolean():
            known: set[type] = {bool}
        case kinds.Integer() | kinds.Number():
            known = {int, float}
        case kinds.Choice() | kinds.Text():
            known = {str}
    if type(value) not in known:
        raise Unreadable


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches a pattern, as pydantic reads patterns."""
    try:
        _matcher(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@cache
def _matcher(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:  # one that looks around, which an author may choose for a model
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="python-re"))


def _read_words(kind: kinds.Choice | kinds.Text, value: object) -> str:
    if isinstance(kind, kinds.Choice):
        return _read_choice(kind, value)
    if not isinstance(value, str) or not PRINTABLE.fullmatch(value):
        raise Unreadable
    if not kind.shortest <= len(value) <= kind.longest:
        raise OutOfBounds
    return value  # its pattern is held by pydantic, whose regular expressions take linear time


def _read_choice(kind: kinds.Choice, value: object) -> str:
    word = None
    if isinstance(value, str):
        word = value if value in kind.values else kind.spellings.get(fold(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        word = kind.numbers.get(value)  # type: ignore[arg-type]  # 5.0 finds 5
    if word is None:
        raise OutOfBounds
    return word


def takes_empty(kind: kinds.Kind) -> bool:
    """Tell whether an empty text is a value of this kind, and not the lack of one."""
    return isinstance(kind, kinds.Text) and kind.shortest == 0


def write_text(value: object) -> str:
    """Write a value as it is written in a path, query or form: what `read_text` reads again."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(value: object) -> str:
    """Show a value as clients write it, a text in quotes."""
    return repr(value) if isinstance(value, str) else write_text(value)


def _within(kind: kinds.Integer | kinds.Number, value: float) -> float:
    if breach(kind, value):
        raise OutOfBounds
    return value


def _as_float(value: float) -> float:
    """JSON integers have no largest; a float has."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def breach(kind: kinds.Kind, value: object) -> str | None:
    """Say how a value breaks the promise of its kind; None if it keeps it.

    This is the guard of every output, so types are exact: True is no integer, NaN no number.
    """
    if isinstance(kind, kinds.Object):
        return _object_breach(kind, value)
    if _keeps(kind, value):
        return None
    return f"must be {kind.allowed()}; it is {_shown(value)}"


def _shown(value: object) -> str:
    """Show what a model said; an integer of 5,000 digits, or another's object, may refuse to be."""
    try:
        return f"{value!r:.100}"
    except Exception:  # noqa: BLE001  # the guard itself never fails
        return f"a {type(value).__name__}"


def keeper(kind: kinds.Kind) -> Callable[[object], bool]:
    """Make the guard of one kind: whether a value keeps its promise, asked as cheaply as can be."""
    if isinstance(kind, kinds.Integer):
        low, high = kind.low, kind.high
        return lambda value: type(value) is int and low <= value <= high
    return lambda value: breach(kind, value) is None


def _keeps(kind: kinds.Scalar, value: object) -> bool:
    match kind:
        case kinds.Integer():
            return type(value) is int and kind.low <= value <= kind.high
        case kinds.Number():
            return (
                type(value) in {int, float}
                and kind.low <= value <= kind.high  # type: ignore[operator]  # it is a number by now
                and not (kind.low_open and value == kind.low)
                and not (kind.high_open and value == kind.high)
            )
        case kinds.Boolean():
            return type(value) is bool
        case kinds.Choice():
            return type(value) is str and value in kind.values
        case kinds.Text():
            return type(value) is str and kind.shortest <= len(value) <= kind.longest


def _object_breach(kind: kinds.Object, value: object) -> str | None:
    if not isinstance(value, dict) or set(value) != {field.name for field in kind.fields}:
        return f"must be {kind.allowed()}; it is {_shown(value)}"
    for field in kind.fields:
        if found := breach(field.kind, value[field.name]):
            return f"{field.name} {found}"
    return None
