"""A contract that could not be shown or tried is refused, in one clear line."""

import random
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator
from tests.contracts.promises import contract_of

from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract
from stopgap.contracts.kinds import Choice
from stopgap.contracts.sampling import sample_values
from stopgap.contracts.soundness import check_sound


class Parity(BaseModel):
    """A number that is hardly ever drawn."""

    number: Annotated[int, Field(examples=[1234567])]

    @field_validator("number")
    @classmethod
    def is_the_one(cls, value: int) -> int:
        """Refuse all others."""
        if value != 1234567:
            raise ValueError("there is but one")
        return value


def test_what_is_hardly_drawn_is_an_example() -> None:
    """Where validators refuse nearly everything, the examples are what is left."""
    contract = Contract(name="one", version="1", path="/one", inputs=Parity, output=bool)
    check_sound(contract, random.Random(1))
    assert sample_values(contract, random.Random(1)) == {"number": 1234567}


class Refusing(BaseModel):
    """Nothing is right."""

    number: int

    @field_validator("number")
    @classmethod
    def refuse(cls, value: int) -> int:
        """Refuse it."""
        raise ValueError(f"not {value}"[:3])


class Forgetting(BaseModel):
    """Its author has looked at the number, and given nothing back."""

    number: int

    @field_validator("number")
    @classmethod
    def look(cls, _value: int) -> None:
        """Look, and forget."""


class AllForgetting(BaseModel):
    """The same, of all of it."""

    number: int

    @model_validator(mode="wrap")
    @classmethod
    def look(cls, _value: Any, _handler: Any) -> Any:
        """Look, and forget."""
        return None


@pytest.mark.parametrize(("inputs", "name"), [(Forgetting, "number"), (AllForgetting, "inputs")])
def test_a_validator_that_returns_nothing(inputs: type[BaseModel], name: str) -> None:
    """What clients send would be lost, and models asked with nothing."""
    contract = Contract(name="lost", version="1", path="/lost", inputs=inputs, output=bool)
    with pytest.raises(ContractInvalid, match=f"{name}: its validator returns None; does it lack"):
        check_sound(contract, random.Random(1))


class Failing(BaseModel):
    """What is wrong here is not the client's."""

    number: int

    @field_validator("number")
    @classmethod
    def look_up(cls, value: int) -> int:
        """Look up what is not there."""
        return {-1: 1}[value]


class Hiding(BaseModel):
    """What a validator has seen is kept where no other process finds it."""

    number: int
    _half: float = PrivateAttr(0.0)

    @model_validator(mode="after")
    def keep(self) -> "Hiding":
        """Keep it."""
        self._half = self.number / 2
        return self


class Keeping(BaseModel):
    """What is kept beside the fields follows from them, or from nothing."""

    number: int
    _half: float = PrivateAttr()
    _own: object = PrivateAttr(default_factory=object)

    def model_post_init(self, _context: object) -> None:
        """Keep it."""
        self._half = self.number / 2


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"code": Annotated[str, Field(pattern="^a+$")]}, "test: code cannot .* pattern; give"),
        (
            {"code": Annotated[str, Field(pattern="^a+$", examples=["a", "b"])]},
            "test: code: 'b', an example or default, is refused: .*pattern",
        ),
        (
            {"code": (Annotated[str, Field(pattern="^a+$")], "b")},
            "test: code: 'b', an example or default, is refused: .*pattern",
        ),
        ({"number": Annotated[int, Field(examples=[5])]}, None),
        (Refusing, "refusing cannot be sampled: .*number: not;"),
        (Failing, "failing: its own code raised KeyError: .* with ValueError"),
        (Hiding, "hiding: its validators keep more"),
        (Keeping, None),
    ],
)
def test_what_could_not_be_shown_or_tried(inputs: Any, said: str | None) -> None:
    """A contract that has no inputs to show, or a wrong example, is refused in one clear line."""
    if isinstance(inputs, dict):
        contract = contract_of(bool, **inputs)
    else:
        name = inputs.__name__.lower()
        contract = Contract(name=name, version="1", path="/p", inputs=inputs, output=bool)
    if said is None:
        check_sound(contract, random.Random(1))
        return
    with pytest.raises(ContractInvalid, match=said):
        check_sound(contract, random.Random(1))


def test_the_stand_in_can_answer() -> None:
    """No contract starts whose stand-in would be refused by the guard at every prediction."""
    contract = contract_of(Literal["a"])
    vars(contract)["output_kind"] = Choice(values=(type("Word", (str,), {})("a"),))
    with pytest.raises(ContractInvalid, match="test: its stand-in's answer must be one of a"):
        check_sound(contract, random.Random(1))
