"""One value is read from text or JSON by the same promise, and never more generously."""

import json
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from tests.contracts.promises import contracts, kind

from stopgap.contracts import kinds, values
from stopgap.contracts.contract import Contract
from stopgap.contracts.values import OutOfBounds, Unreadable

COUNT = kinds.Integer()
FLOOR = kinds.Integer(low=-5, high=5)
WEIGHT = kinds.Number(low=0.0, high=30.0, low_open=True)
ANY = kinds.Number()
FLAG = kinds.Boolean()
NOTE = kinds.Text(shortest=1, longest=5)
SIDE = kinds.Choice(values=("north", "south"))


@pytest.mark.parametrize(
    ("promise", "text", "value"),
    [
        (COUNT, "0", 0),
        (COUNT, "0000000000000007", 7),
        (COUNT, "9007199254740991", 2**53 - 1),
        (FLOOR, "-5", -5),
        (FLOOR, "-0", 0),
        (WEIGHT, "30", 30.0),
        (WEIGHT, "2.5", 2.5),
        (WEIGHT, "5e-324", 5e-324),
        (WEIGHT, "1E+1", 10.0),
        (ANY, "-1.7976931348623157e308", -kinds.NUMBER_MAX),
        (ANY, f"{kinds.NUMBER_MAX:f}", kinds.NUMBER_MAX),
        (FLAG, "true", True),
        (FLAG, "false", False),
        (NOTE, "a b'é", "a b'é"),
        (NOTE, "字😀", "字😀"),
        (SIDE, "north", "north"),
    ],
)
def test_text_is_read(promise: kinds.Scalar, text: str, value: object) -> None:
    """What is written as its kind is written is read, up to both ends."""
    read = values.read_text(promise, text)
    assert read == value
    assert type(read) is type(value)


NO_INTEGERS = [
    *["", "x", "-5", "+5", "1e3", "1_000", "5.0", "5,0", " 5", "5 ", "5\n", "\x00", "5\x00"],
    *["0x5", "NaN", "true", "\u0661\u0662", "\uff15", "\u00b2", "0" * 17, "1" + "0" * 30],
]


@pytest.mark.parametrize("text", NO_INTEGERS)
def test_text_that_is_no_integer(text: str) -> None:
    """An integer is one to sixteen ASCII digits and nothing else."""
    with pytest.raises(Unreadable):
        values.read_text(COUNT, text)


NO_NUMBERS = [
    *["", "x", "+5", ".5", "5.", "1_0.0", "5,0", " 5", "5\n", "--5", "1e", "1e5.0", "1e5000"],
    *["NaN", "nan", "inf", "-Infinity", "0x1p3", "\u0661.\u0665", "9" * 401],
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_text_that_is_no_number(text: str) -> None:
    """A number is written as JSON writes it, in ASCII digits, and is finite."""
    with pytest.raises(Unreadable):
        values.read_text(ANY, text)


@pytest.mark.parametrize(
    ("promise", "text"),
    [
        (COUNT, "9007199254740992"),
        (COUNT, "9999999999999999"),
        (FLOOR, "6"),
        (FLOOR, "-6"),
        (WEIGHT, "0"),
        (WEIGHT, "-0.0"),
        (WEIGHT, "1e-400"),
        (WEIGHT, "30.000000000000004"),
        (ANY, "1e309"),
        (ANY, "-1e999"),
        (NOTE, "abcdef"),
        (NOTE, ""),
        (SIDE, "North"),
        (SIDE, "west"),
        (SIDE, ""),
    ],
)
def test_text_that_is_not_allowed(promise: kinds.Scalar, text: str) -> None:
    """What can be read, but is outside, is told apart from what cannot be read."""
    with pytest.raises(OutOfBounds):
        values.read_text(promise, text)


@pytest.mark.parametrize("text", ["True", "1", "0", "yes", "", "true "])
def test_text_that_is_no_boolean(text: str) -> None:
    """A boolean is `true` or `false`."""
    with pytest.raises(Unreadable):
        values.read_text(FLAG, text)


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ud800"]
)
def test_text_that_steers_a_terminal_is_unreadable(character: str) -> None:
    """No text holds control characters, line separators, changes of direction or lone halves."""
    with pytest.raises(Unreadable):
        values.read_text(NOTE, f"a{character}b")
    with pytest.raises(Unreadable):
        values.read_json(NOTE, f"a{character}b")


READ: list[tuple[kinds.Scalar, object, object]] = [
    (COUNT, 5, 5),
    (COUNT, 5.0, 5),
    (COUNT, 1e3, 1000),
    (FLOOR, -0.0, 0),
    (ANY, 5, 5.0),
    (FLAG, True, True),
    (NOTE, "a", "a"),
    (SIDE, "south", "south"),
]


@pytest.mark.parametrize(("promise", "value", "read"), READ)
def test_json_is_read(promise: kinds.Scalar, value: Any, read: object) -> None:
    """JSON knows one kind of number: 5.0 is the integer 5, as JavaScript and JSON Schema say."""
    found = values.read_json(promise, value)
    assert found == read
    assert type(found) is type(read)


def pairs(table: dict[kinds.Scalar, list[object]]) -> list[tuple[kinds.Scalar, object]]:
    """List a table's kinds, each with each of its values."""
    return [(promise, value) for promise, given in table.items() for value in given]


OF_ANOTHER_TYPE: dict[kinds.Scalar, list[object]] = {
    COUNT: ["5", True, None, 5.5, [5], {}, math.inf, math.nan],
    ANY: ["5", False, None, [], {}],
    FLAG: ["true", 1, 0, None, []],
    NOTE: [5, True, None, ["a"], {"a": 1}],
}


@pytest.mark.parametrize(("promise", "value"), pairs(OF_ANOTHER_TYPE))
def test_json_of_another_type(promise: kinds.Scalar, value: object) -> None:
    """A text is no number, true is no 1, and nothing is no value."""
    with pytest.raises(Unreadable):
        values.read_json(promise, value)


OUTSIDE: dict[kinds.Scalar, list[object]] = {
    COUNT: [-1, 2**53, 10**30, 1e300],
    FLOOR: [6],
    WEIGHT: [0],
    ANY: [10**400, math.inf, math.nan],
    NOTE: ["abcdef", ""],
}


@pytest.mark.parametrize(("promise", "value"), pairs(OUTSIDE))
def test_json_that_is_not_allowed(promise: kinds.Scalar, value: object) -> None:
    """What can be read, but is outside, is told apart from what cannot be read."""
    with pytest.raises(OutOfBounds):
        values.read_json(promise, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(contracts(), st.text() | st.from_regex(values.DECIMAL, fullmatch=True), JSON)
def test_whatever_is_read_keeps_the_promise(contract: Contract, text: str, value: object) -> None:
    """Any text and any JSON is read as an allowed value, or refused in one of two ways."""
    for field in contract.fields:
        for found in (
            read_or_refused(values.read_text, field.kind, text),
            read_or_refused(values.read_json, field.kind, value),
        ):
            assert found is REFUSED or values.breach(field.kind, found) is None


REFUSED = object()


def read_or_refused(read: Callable[..., Any], promise: kinds.Scalar, value: object) -> object:
    """Read a value; anything but the two refusals is a failure."""
    try:
        return read(promise, value)
    except (Unreadable, OutOfBounds):
        return REFUSED


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_as_itself(number: float) -> None:
    """A number is itself again after it was written, shortest or at full length."""
    for text in (values.write_text(number), json.dumps(number), f"{number:.350f}"):
        assert values.read_text(ANY, text) == number


class Hostile:
    """A model's answer that does not even want to be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


BROKEN: list[tuple[Any, list[object]]] = [
    (Annotated[int, Field(ge=2000, le=5000)], [1999, 5001, 2000.0, True, "3000", None, [3000]]),
    (Annotated[float, Field(gt=0, lt=1)], [0, 1, 0.0, math.nan, math.inf, True, "0.5"]),
    (Literal["a", "b"], ["c", "A", None, 1, ["a"]]),
    (bool, [1, 0, "true", None]),
]


@pytest.mark.parametrize(("annotation", "answers"), BROKEN)
def test_the_guard_is_exact(annotation: Any, answers: list[object]) -> None:
    """An output of another type, or beyond an end, breaks the promise, whatever object it is."""
    for answer in (*answers, Hostile(), 10**5000, -(10**5000)):
        broken = values.breach(kind(annotation), answer)
        assert broken is not None
        assert broken.startswith("must be ")


def test_the_guard_names_the_field_of_an_object() -> None:
    """An object has exactly its fields; one that breaks its own promise is named."""
    fields = (kinds.Field(name="days", kind=FLOOR), kinds.Field(name="late", kind=FLAG))
    record = kinds.Object(fields=fields)
    assert values.breach(record, {"days": 1, "late": False}) is None
    assert str(values.breach(record, {"days": 9, "late": False})).startswith("days must be ")
    others: list[object] = [{"days": 1}, {"days": 1, "late": True, "more": 1}, [], None, Hostile()]
    for value in others:
        assert values.breach(record, value) is not None
