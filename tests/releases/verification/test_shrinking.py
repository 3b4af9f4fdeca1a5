"""Shrinking: simpler inputs that break the same rule, in few questions."""

import asyncio
import random
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator, model_validator
from tests.contracts.promises import LETTER, contract_of, contracts

from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import SampleNotFound
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs
from stopgap.releases.verification.shrinking import shrink

Rule = Callable[[dict[str, Any]], bool]


def shrunk(
    contract: Contract, values: dict[str, Any], breaks: Rule, tries: int = 200
) -> tuple[dict[str, Any], int]:
    """Shrink inputs; tell the simplest, and how often it was asked."""
    asked = 0

    async def ask(row: Row) -> bool:
        nonlocal asked
        asked += 1
        return breaks(row.inputs.model_dump())

    row = Row.of(contract.inputs.model_validate(values, by_alias=False, by_name=True))
    found = asyncio.run(shrink(contract, row, ask, tries=tries))
    return found.inputs.model_dump(), asked


LONG = {
    "note": "Grüße aus Köln",
    "code": "abc",
    "floor": -4,
    "weight": 1234.5678,
    "fragile": True,
    "side": "south",
    "copies": 7,
    "colour": "mauve",
}
SHORT = {
    "note": "",
    "code": "abc",
    "floor": 0,
    "weight": 0.0,
    "fragile": False,
    "side": "Nörth",
    "copies": 0,
    "colour": "aa",
}

CASES: list[tuple[Rule, dict[str, Any]]] = [
    (lambda _: True, {}),
    (lambda row: row["floor"] < -2, {"floor": -3}),
    (lambda row: row["copies"] >= 5, {"copies": 5}),
    (lambda row: row["fragile"], {"fragile": True}),
    (lambda row: row["side"] == "south", {"side": "south"}),
    (lambda row: len(row["note"]) > 4, {"note": "Grüße"}),
    (lambda row: "K" in row["note"], {"note": "Grüße aus K"}),
    (lambda row: row["weight"] > 9, {"weight": 10.0}),
    (lambda row: row["fragile"] and row["copies"] > 2, {"fragile": True, "copies": 3}),
]


@pytest.mark.parametrize(("breaks", "left"), CASES)
def test_what_matters_is_left(breaks: Rule, left: dict[str, Any]) -> None:
    """What does not matter becomes the simplest there is, what does the simplest that breaks."""
    found, asked = shrunk(LETTER, LONG, breaks)
    assert found | {"note": ""} == SHORT | left | {"note": ""}
    assert len(found["note"]) <= len(left.get("note", "")) or breaks(found)
    assert asked <= 200


def test_everything_broken_is_asked_once() -> None:
    """A model that fails at everything is asked one question."""
    assert shrunk(LETTER, LONG, lambda _: True) == (SHORT, 1)
    assert shrunk(LETTER, SHORT, lambda _: True) == (SHORT, 0)


def test_large_numbers_are_found_by_halving() -> None:
    """In 2^53 integers the first that breaks is found in some seventy questions."""
    contract = contract_of(bool, n=Annotated[int, Field(ge=0, le=2**53 - 1)])
    found, asked = shrunk(contract, {"n": 2**50 + 12345}, lambda row: row["n"] > 123_456_789)
    assert found == {"n": 123_456_790}
    assert asked < 150


def test_no_more_questions_than_may_be() -> None:
    """When all tries are used up, the simplest so far is the answer."""
    found, asked = shrunk(LETTER, LONG, lambda row: row["copies"] >= 5, tries=4)
    assert asked == 4
    assert found["copies"] == 7


class Pair(BaseModel):
    """Two numbers of which the author says more than their types do."""

    less: Annotated[int, Field(ge=0, le=100)]
    more: Annotated[int, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """Refuse a pair in the wrong order."""
        if self.less >= self.more:
            raise ValueError("in the wrong order")
        return self


def test_the_authors_validators_are_kept() -> None:
    """What the contract's author refuses is never asked."""
    contract = Contract(name="pair", version="1.0.0", path="/pair", inputs=Pair, output=bool)
    found, _ = shrunk(contract, {"less": 40, "more": 90}, lambda row: row["more"] > 20)
    assert found == {"less": 0, "more": 21}


@settings(max_examples=60)
@given(contracts(), st.integers(0, 2**32))
def test_laws_of_shrinking(contract: Contract, seed: int) -> None:
    """Of any contract: what comes out is allowed, still breaks the rule, and nothing is endless."""
    try:
        inputs = sample_inputs(contract, random.Random(seed))
    except SampleNotFound:
        return
    values = inputs.model_dump()
    name = contract.fields[0].name
    found, asked = shrunk(contract, values, lambda row: row[name] == values[name])
    assert found[name] == values[name]
    assert asked <= 200


class Share(BaseModel):
    """A share that a validator turns into percent."""

    share: Annotated[float, Field(ge=0, le=1)]
    side: Literal["north", "south"] = "north"

    @field_validator("share")
    @classmethod
    def to_percent(cls, value: float) -> float:
        """Turn a share into percent."""
        return value * 100


def test_what_validators_have_turned_is_left_as_it_is() -> None:
    """Where nobody knows what was sent, the row is told as it is; what is known gets simpler."""
    contract = Contract(name="share", version="1", path="/share", inputs=Share, output=bool)
    found, asked = shrunk(contract, {"share": 0.5, "side": "south"}, lambda _: True)
    assert (found, asked) == ({"share": 50.0, "side": "south"}, 0)
    found, _ = shrunk(contract, {"share": 0, "side": "south"}, lambda _: True)
    assert found == {"share": 0.0, "side": "north"}
