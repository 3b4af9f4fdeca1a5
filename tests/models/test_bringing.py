"""An output is brought into the contract's type as the release says, and no further."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.contracts import kinds
from stopgap.contracts.values import breach
from stopgap.models.bringing import bring
from stopgap.models.specification import Bring

INTEGER = kinds.Integer(low=2000, high=5000)
NUMBER = kinds.Number(low=0.5, high=14, low_open=True)
LEFT: list[Any] = [math.nan, math.inf, -math.inf, "3000", None, True, [3000], {"a": 3000}]
"""What no way brings into a number."""


@pytest.mark.parametrize(
    ("way", "output", "brought"),
    [
        ("exact", 3000, 3000),
        ("exact", 3000.0, 3000),
        ("exact", 3000.2, 3000.2),
        ("exact", 9000, 9000),
        ("round", 3000.4, 3000),
        ("round", 3000.5, 3000),
        ("round", 3001.5, 3002),
        ("round", 9000.4, 9000),
        ("clip", 3000.4, 3000),
        ("clip", 1e300, 5000),
        ("clip", -(10**400), 2000),
        ("clip", 1999.6, 2000),
    ],
)
def test_integers(way: Bring, output: Any, brought: Any) -> None:
    """Each way does what its name says to a number for an integer."""
    found = bring(INTEGER, way)(output)
    assert (type(found), found) == (type(brought), brought)


@pytest.mark.parametrize("way", ["exact", "round"])
def test_numbers_are_left(way: Bring) -> None:
    """For a number there is nothing to round."""
    assert bring(NUMBER, way)(20.25) == 20.25


@pytest.mark.parametrize("way", ["exact", "round", "clip"])
@pytest.mark.parametrize("kind", [INTEGER, NUMBER], ids=["integer", "number"])
@pytest.mark.parametrize("output", LEFT, ids=repr)
def test_what_is_no_number_is_left(kind: kinds.Kind, way: Bring, output: Any) -> None:
    """NaN, infinity and other types stay what they are, and the guard refuses them."""
    assert bring(kind, way)(output) is output
    assert breach(kind, output)


@given(output=st.floats(allow_nan=False, allow_infinity=False) | st.integers())
@pytest.mark.parametrize("kind", [INTEGER, NUMBER], ids=["integer", "number"])
def test_clipped_numbers_keep_the_promise(kind: kinds.Kind, output: float) -> None:
    """Every finite number, clipped, is one that the contract allows."""
    assert breach(kind, bring(kind, "clip")(output)) is None


def test_records_are_brought_field_by_field() -> None:
    """Each field of a record is brought on its own; an unknown one is left for the guard."""
    record = kinds.Object(
        fields=(
            kinds.Field(name="sales", kind=INTEGER),
            kinds.Field(name="by", kind=kinds.Choice(values=("sea",))),
        )
    )
    clip = bring(record, "clip")
    assert clip({"sales": 9e9, "by": "sea"}) == {"sales": 5000, "by": "sea"}
    assert clip({"sales": 1, "colour": 2.5}) == {"sales": 2000, "colour": 2.5}
    assert clip(3000) == 3000
