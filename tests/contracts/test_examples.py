"""What people are shown as an example works."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, field_validator, model_validator
from tests.contracts.promises import contract_of, contracts
from tests.contracts.samples import Ordered

from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.given import query_values
from stopgap.contracts.parsing import read_path
from stopgap.contracts.spellings import Spellings


class Booking(BaseModel):
    """Inputs of which one that may be left out stands in the path."""

    day: int
    room: int = 7


def test_an_example_that_leaves_out_what_stands_in_the_path() -> None:
    """It is shown with the value that is read then, so that it has an address."""
    contract = Contract(
        name="booking",
        version="1",
        path="/booking/{room}/{day}",
        inputs=Booking,
        output=bool,
        examples=[Example(inputs={"day": 3}, output=True)],
    )
    shown = example_inputs(contract)
    assert contract.address(shown) == "/booking/7/3"


@given(contracts())
def test_what_is_shown_as_an_example_works(contract: Contract) -> None:
    """The inputs that people are shown are allowed, and make an address that reads back as them."""
    shown = example_inputs(contract)
    expected = contract.inputs.model_validate(shown, by_alias=False, by_name=True)
    path, _, query = contract.address(shown).partition("?")
    assert read_path(contract, path, query_values(query)) == expected


class Even(BaseModel):
    """A number of which neither end is allowed, and a text that may not be empty."""

    name: str
    number: Annotated[int, Field(ge=1, le=99)]

    @field_validator("name")
    @classmethod
    def is_named(cls, name: str) -> str:
        """Refuse nothing."""
        assert name
        return name

    @field_validator("number")
    @classmethod
    def is_even(cls, number: int) -> int:
        """Refuse what is odd; at 99 in a way that nobody thought of."""
        assert 1 / (99 - number)
        if number % 2:
            raise ValueError("must be even")
        return number


class Late(BaseModel):
    """Days of which the author's first examples do not go together."""

    first: Annotated[int, Field(ge=0, le=10**9, examples=[7, 3])]
    last: Annotated[int, Field(ge=0, le=10**9, examples=[5])]

    @model_validator(mode="after")
    def hold(self) -> "Late":
        """Hold the two against each other."""
        assert self.first + 2 == self.last
        return self


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [(Ordered, {"low": 0, "high": 9}), (Even, None), (Late, {"first": 3, "last": 5})],
)
def test_what_an_author_refuses_is_not_shown(
    inputs: type[BaseModel], expected: dict[str, Any] | None
) -> None:
    """Examples stand together, whatever the author's own validators say; each time the same."""
    contract = Contract(name="p", version="1", path="/p", inputs=inputs, output=bool)
    shown = example_inputs(contract)
    inputs.model_validate(shown)
    assert shown == example_inputs(contract)
    if expected is not None:
        assert shown == expected


SIDE = Annotated[
    Literal["north", "south"],
    Spellings(readings={"n": "north"}, numbers={1: "north"}, described="or n"),
]


def test_examples_are_shown_as_they_are_read() -> None:
    """An integer is shown as one, a spelling as what it means, a number as its author writes it."""
    given = {"floor": 5.0, "side": 1, "weight": 80}
    kinds: dict[str, Any] = {"floor": int, "side": SIDE, "weight": float}
    fields = {name: Annotated[kind, Field(examples=[given[name]])] for name, kind in kinds.items()}
    told = contract_of(bool, "/p/{floor}/{side}/{weight}", **fields)
    golden = Contract(
        name="golden",
        version="1",
        path="/p/{floor}/{side}/{weight}",
        inputs=contract_of(bool, **kinds).inputs,
        output=bool,
        examples=[Example(inputs=given, output=True)],
    )
    for contract in (told, golden):
        assert contract.address(example_inputs(contract)) == "/p/5/north/80"
