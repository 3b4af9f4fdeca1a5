"""What is allowed is said in words, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.contracts.kinds import Number, Text, written_number


@pytest.mark.parametrize(
    ("value", "written"),
    [(12345678.25, "12345678.25"), (14.0, "14"), (-0.5, "-0.5"), (1e15, "1000000000000000")]
    + [(1e300, "1e+300"), (5e-324, "5e-324")],
)
def test_a_number_is_written_shortly(value: float, written: str) -> None:
    """Whole numbers have no point; nobody writes out what has three hundred digits."""
    assert written_number(value) == written


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_exactly(value: float) -> None:
    """What is written is read as the same number."""
    assert float(written_number(value)) == value


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Number(low=0, high=12345678.25), "a number from 0 to 12345678.25"),
        (
            Number(low=0, high=1000, low_open=True, high_open=True),
            "a number above 0 and below 1000",
        ),
        (Number(low=0, high=0.5, high_open=True), "a number from 0 and below 0.5"),
        (Number(high=1, high_open=True), "a number below 1"),
        (Text(shortest=0, longest=2), "a text of 0 to 2 printable characters"),
        (Text(shortest=2, longest=2), "a text of 2 printable characters"),
        (
            Text(shortest=1, longest=1, pattern="^a"),
            "a text of 1 printable character that matches ^a",
        ),
    ],
)
def test_what_is_allowed(kind: Number | Text, said: str) -> None:
    """Both ends are told, and whether they are in it."""
    assert kind.allowed() == said
