"""A row is the same inputs in every form."""

import json
import random
import warnings
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)
from tests.contracts.promises import contracts

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row, recorded_row
from stopgap.contracts.sampling import sample_inputs


@given(contracts(), st.randoms(use_true_random=False))
def test_json_and_model_are_the_same_inputs(contract: Contract, source: random.Random) -> None:
    """From the model to JSON and back nothing is lost."""
    inputs = sample_inputs(contract, source)
    row = Row.of(inputs)
    assert row.inputs is inputs
    assert row.json == inputs.model_dump_json().encode()
    assert Row(contract.inputs, row.json).inputs == inputs
    again = recorded_row(contract, row.json)
    assert again
    assert again.json == row.json


class Weather(BaseModel):
    """Inputs whose validators turn them, and which have more than their fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temp_f: Annotated[float, Field(ge=-100, le=200)]
    share: Annotated[float, Field(ge=0, le=1, exclude=True)] = 1
    day: Literal["sunday", "monday"] = "monday"
    _seen: list[str] = PrivateAttr(default_factory=list)

    @field_validator("temp_f")
    @classmethod
    def to_celsius(cls, value: float) -> float:
        """Turn Fahrenheit into Celsius."""
        return round((value - 32) / 1.8, 2)

    @field_validator("share")
    @classmethod
    def to_percent(cls, value: float) -> float:
        """Turn a share into percent, which is no share any more."""
        return value * 100

    @field_serializer("day")
    def shout(self, value: str) -> str:
        """Write it for others."""
        return value.upper()

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation writes it
    @property
    def kelvin(self) -> float:
        """Tell the same in Kelvin."""
        return self.temp_f + 273.15

    @cached_property
    def is_cold(self) -> bool:
        """Tell whether it freezes."""
        return self.temp_f < 0


WEATHER = Contract(name="weather", version="1", path="/weather", inputs=Weather, output=bool)


def test_validators_run_once() -> None:
    """A model is given what was validated, in another process as well: nothing is turned twice."""
    inputs = Weather.model_validate({"temp_f": 50, "share": 0.5})
    assert not inputs.is_cold
    row = Row.of(inputs)
    assert row.json == b'{"temp_f":10.0,"share":50.0,"day":"monday"}'
    there: Any = Row(Weather, row.json).inputs
    assert there == inputs
    assert (there.temp_f, there.kelvin, there.is_cold, there._seen) == (10.0, 283.15, False, [])


class Trip(BaseModel):
    """Inputs that look at themselves as a whole."""

    length: float = 2
    stops: int = 3
    _each: float = PrivateAttr()

    def model_post_init(self, _context: object) -> None:
        """Turn a field, and keep something beside the fields."""
        self.length *= 2
        self._each = self.stops / 2


def test_what_follows_the_validators() -> None:
    """What a model keeps beside its fields is there; a field is not turned again."""
    row = Row.of(Trip.model_validate({}))
    there: Any = Row(Trip, row.json).inputs
    assert (row.json, there.length, there._each) == (b'{"length":4.0,"stops":3}', 4.0, 1.5)


def test_a_value_that_its_type_does_not_expect() -> None:
    """What a validator has made of a value is written as it is, without a warning."""

    class Half(BaseModel):
        pair: int

        @field_validator("pair")
        @classmethod
        def halve(cls, value: int) -> float:
            return value / 2

    with warnings.catch_warnings(action="error"):
        row = Row.of(Half.model_validate({"pair": 5}))
    assert Row(Half, row.json).inputs == Half.model_construct(pair=2.5)


@pytest.mark.parametrize(
    ("given_inputs", "read"),
    [
        ({"temp_f": 10.0, "share": 50.0, "day": "monday"}, {}),
        ({"temp_f": 1e9, "share": 50.0}, {"day": "monday"}),
        ({"temp_f": 10.0, "share": 50.0, "gone": 1}, {"day": "monday", "gone": None}),
        ({"share": 50.0}, None),
        ({"temp_f": "10.0"}, None),
        ({"temp_f": True}, None),
        ({"temp_f": 10.0, "day": "friday"}, None),
    ],
)
def test_a_row_on_record(given_inputs: dict[str, Any], read: dict[str, Any] | None) -> None:
    """What is on record is asked with as it is; what the contract allows no more is no row."""
    row = recorded_row(WEATHER, json.dumps(given_inputs).encode())
    if read is None:
        assert row is None
        return
    assert row
    whole = {name: value for name, value in (given_inputs | read).items() if value is not None}
    assert json.loads(row.json) == whole


@pytest.mark.parametrize(
    ("on_record", "read"),
    [
        ({"amount": 100, "kg": 2.5}, {"amount_eur": 100, "weight": 2.5}),
        ({"amount_eur": 5, "amount": 100}, {"amount_eur": 5, "weight": 1.0}),
        ({"amount": 100, "amount_eur": 5, "weight": 3.0}, {"amount_eur": 5, "weight": 3.0}),
        ({"amount": 5000}, None),
    ],
)
def test_a_row_from_before_a_field_was_renamed(
    on_record: dict[str, Any], read: dict[str, Any] | None
) -> None:
    """A value counts under a name that is an alias now, where it is not there under its own."""

    class Loan(BaseModel):
        amount_eur: Annotated[int, Field(ge=0, le=1000, validation_alias="amount")]
        weight: Annotated[float, Field(le=50, validation_alias=AliasChoices("weight", "kg"))] = 1.0

    contract = Contract(name="loan", version="2", path="/loan", inputs=Loan, output=bool)
    row = recorded_row(contract, json.dumps(on_record).encode())
    assert (row and json.loads(row.json)) == read


def test_rows_on_record_of_every_kind() -> None:
    """Bounds, patterns and types hold for what no validator has to do with."""

    class Plain(BaseModel):
        code: Annotated[str, Field(pattern="^[a-c]+$", examples=["abc"])]
        odd: Annotated[str, Field(pattern="^a(?!b)", examples=["ac"])] = "ac"
        count: Annotated[int, Field(le=5)] = 1

        model_config = ConfigDict(regex_engine="python-re")

    contract = Contract(name="plain", version="1", path="/plain", inputs=Plain, output=bool)
    for wrong in ({"code": "x"}, {"count": 6}, {"count": 1.5}, {"odd": "ab"}):
        assert recorded_row(contract, json.dumps({"code": "abc"} | wrong).encode()) is None
    assert recorded_row(contract, b'{"code":"abc","odd":"ac","count":5}')

    class Whole(Plain):
        @model_validator(mode="after")
        def turn(self) -> Self:
            return self

    contract = Contract(name="plain", version="1", path="/plain", inputs=Whole, output=bool)
    assert recorded_row(contract, b'{"code":"x","count":6}')
    assert recorded_row(contract, b'{"code":"x","count":"6"}') is None
