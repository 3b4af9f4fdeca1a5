"""What an author writes in pydantic's types is kept as plain data, or refused."""

import re
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval, Len
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StrictInt,
    StringConstraints,
    confloat,
    conint,
    constr,
    create_model,
)
from tests.contracts.promises import contract_of, kind

from stopgap.contracts import kinds
from stopgap.contracts.annotations import ContractInvalid, object_of
from stopgap.contracts.kinds import INTEGER_MAX, Boolean, Choice, Integer, Number, Text
from stopgap.contracts.months import Month
from stopgap.contracts.spellings import Spellings

TRANSLATIONS: list[tuple[Any, kinds.Kind]] = [
    (int, Integer(low=0, high=INTEGER_MAX)),
    (StrictInt, Integer()),
    (Annotated[int, Field(ge=2000, le=5000)], Integer(low=2000, high=5000)),
    (Annotated[int, Field(gt=0, lt=10)], Integer(low=1, high=9)),
    (Annotated[int, Field(ge=0, le=10), Field(ge=2, le=12)], Integer(low=2, high=12)),
    (Annotated[int, Interval(ge=-5, lt=5)], Integer(low=-5, high=4)),
    (float, Number()),
    (Annotated[float, Field(gt=0, le=30)], Number(low=0.0, high=30.0, low_open=True)),
    (Annotated[float, Field(ge=0, lt=1)], Number(low=0.0, high=1.0, high_open=True)),
    (Annotated[float, Field(ge=1, gt=0)], Number(low=1.0)),
    (conint(ge=1, le=5), Integer(low=1, high=5)),
    (conint(strict=True, lt=5), Integer(high=4)),
    (confloat(gt=0, allow_inf_nan=False), Number(low=0.0, low_open=True)),
    (Annotated[float, Field(ge=0, allow_inf_nan=False)], Number(low=0.0)),
    (constr(min_length=1, max_length=3), Text(shortest=1, longest=3)),
    (bool, Boolean()),
    (str, Text(shortest=0, longest=kinds.TEXT_MAX)),
    (Annotated[str, Field(min_length=2, max_length=5)], Text(shortest=2, longest=5)),
    (Annotated[str, Len(1, 3)], Text(shortest=1, longest=3)),
    (Annotated[str, Field(min_length=2000)], Text(shortest=2000, longest=2000)),
    (Annotated[str, Field(pattern="^a")], Text(pattern="^a")),
    (Annotated[str, Field(pattern=re.compile("^a"))], Text(pattern="^a")),
    (Literal["b", "a"], Choice(values=("b", "a"))),
]


@pytest.mark.parametrize(("annotation", "expected"), TRANSLATIONS)
def test_a_type_is_translated(annotation: Any, expected: kinds.Kind) -> None:
    """Each type, with its constraints, is one kind."""
    assert kind(annotation) == expected


class Size(StrEnum):
    """Members that equal their texts, and are written otherwise."""

    SMALL = "small"
    LARGE = "large"


class Level(IntEnum):
    """Members that are no texts."""

    LOW = 1


REFUSED: list[tuple[Any, str]] = [
    (bytes, r"is of type bytes\. A contract promises int, float"),
    (Any, r"is of type .*Any\. A contract promises int, float"),
    (date, r"is of type date\. An input of it is a str with a pattern"),
    (datetime | date, r"is of type .*\. A value has one type"),
    (int | None, r"is of type int \| None\. There is no null: .* has a default"),
    (PositiveInt | None, r"is of type .*\. There is no null: .* has a default"),
    ((int | None, None), r"is of type int \| None\. There is no null: .* has a default"),
    (list[int], r"is of type list\[int\]\. Write a field for each of its values"),
    (dict[str, int], r"is of type dict\[str, int\]\. Write a field for each of its values"),
    (Size, r"is of type Size\. Write the values: Literal\['small', 'large'\]\.$"),
    (Level, r"is of type Level\. Write Literal\['1'\], or an int with ge and le\.$"),
    (Literal[1, 2], "values of a choice are texts"),
    (Literal["a", ""], "values of a choice are texts"),
    (Literal[Size.SMALL, Size.LARGE], r"Write the values: Literal\['small', 'large'\]\.$"),
    ((Literal[Size.SMALL, "large"], Size.SMALL), r"the values: Literal\['small', 'large'\]\.$"),
    (
        Literal[Level.LOW],
        r"values of a choice are texts; they are \(<Level\.LOW: 1>,\)\. Write Literal\['1'\]",
    ),
    (Annotated[Literal["a", "b"], AfterValidator(str.upper)], "cannot promise: AfterValidator"),
    (Annotated[Literal["a"], Spellings(readings={"b": "c"}, described="")], "means 'c', which is"),
    (
        Annotated[Literal["a"], Spellings(readings={}, numbers={1: "d"}, described="")],
        "means 'd', which is none of a",
    ),
    (
        Annotated[Literal["A1", "a1"], Spellings(readings={}, described="")],
        "n: 'a1' means two values",
    ),
    (
        Annotated[Literal["a", "b"], Spellings(readings={"A": "b"}, described="")],
        "n: 'a' means two values",
    ),
    (
        Annotated[Literal["a", "b"], Spellings(readings={"X": "a", "x": "b"}, described="")],
        "n: 'x' means two values",
    ),
    (Annotated[str, Spellings(readings={}, described="")], "spellings are those of a Literal"),
    (
        Annotated[
            Literal["a"],
            Spellings(readings={}, described=""),
            Spellings(readings={"b": "a"}, described="or b"),
        ],
        "said more than once",
    ),
    (constr(strip_whitespace=True, min_length=1), "cannot promise: strip_whitespace"),
    (Annotated[str, StringConstraints(pattern="^a", to_upper=True)], "cannot promise: to_upper"),
    (conint(multiple_of=2), "cannot promise: multiple_of"),
    (Annotated[float, Field(allow_inf_nan=True)], "cannot promise"),
    (Annotated[int, Field(multiple_of=5)], "cannot promise: multiple_of"),
    (Annotated[bool, Field(ge=0)], "cannot promise: ge"),
    (Annotated[int, AfterValidator(abs)], "cannot promise: AfterValidator"),
    (Annotated[int, Field(ge=5, le=4)], r"no integer is between 5 and 4\.$"),
    (Annotated[int, Field(gt=4, lt=5)], "no integer is between 5 and 4"),
    (Annotated[int, Field(lt=0)], "between 0 and -1; where no least is given it is 0, so write ge"),
    (Annotated[int, Field(ge=0, le=2**53)], r"to 9007199254740992; .* up to 9007199254740991 \("),
    (Annotated[int, Field(ge=1, le=2**63 - 1)], "its range goes to 9223372036854775807; JSON"),
    (Annotated[int, Field(ge=-(2**53), le=1)], "its range goes to -9007199254740992; JSON"),
    (Annotated[int, Field(gt=2**53 - 1)], "its range goes to 9007199254740992; JSON"),
    (Annotated[str, Field(min_length=20, max_length=10)], "no text has 20 to 10 characters"),
    (Annotated[float, Field(gt=1, le=1)], "no number is between"),
    (Annotated[float, Field(ge=2, lt=1)], "no number is between"),
    (Annotated[float, Field(gt=0, lt=5e-324)], "no number is between"),
    ((int, "5"), "default or example '5' must be an integer"),
    ((int, None), "default or example None must be"),
    ((int, Field(default_factory=lambda: 5)), "default is made by code"),
    ((Literal["a", "b"], "c"), "default or example 'c' must be one of a, b"),
    ((Month, "May"), "handed on as it is written"),
    ((Month, 1), "handed on as it is written"),
    ((int, 3.0), "handed on as it is written"),
    (Annotated[int, Field(ge=1, examples=[1, 0])], "default or example 0 must be"),
]


@pytest.mark.parametrize(("annotation", "reason"), REFUSED)
def test_what_cannot_be_promised_is_refused(annotation: Any, reason: str) -> None:
    """A type, constraint, default or example that would not be kept stops the contract."""
    with pytest.raises(ContractInvalid, match=reason):
        contract_of(bool, n=annotation)


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (date, "output is of type date"),
        (create_model("Out", y=(date, ...)), r"Out\.y is of type date"),
        (Annotated[int, Field(ge=0)], "output: an integer in an output needs both ends"),
    ],
)
def test_what_is_refused_is_told_with_its_place(output: Any, place: str) -> None:
    """Whoever has several contracts, of several fields, is told which of them is meant."""
    with pytest.raises(ContractInvalid, match=f"^test: {place}"):
        contract_of(output)
    with pytest.raises(ContractInvalid, match=r"^test: Fields\.n is of type date"):
        contract_of(bool, n=date)


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        (ConfigDict(str_max_length=5), "has str_max_length=5, .*; write max_length in the Field"),
        (ConfigDict(str_max_length=0), "has str_max_length=0, .*; write max_length in the Field"),
        (ConfigDict(str_min_length=1), "has str_min_length=1, .*; write min_length in the Field"),
        (
            ConfigDict(str_strip_whitespace=True),
            "has str_strip_whitespace=True, .*; strip the texts in a @field",
        ),
        (ConfigDict(str_to_lower=True), "has str_to_lower=True, .*; lower the texts in a @field"),
        (ConfigDict(str_to_upper=True), "has str_to_upper=True, .*; raise the texts in a @field"),
    ],
)
def test_a_models_config_promises_nothing(config: ConfigDict, instead: str) -> None:
    """What a model's config has to say about its texts is refused, with what to write instead."""
    base = create_model("Base", __config__=config, n=str)
    for model in (base, create_model("Heir", __base__=base, m=bool)):
        with pytest.raises(ContractInvalid, match=f"{model.__name__}: its model_config {instead}"):
            object_of(model)


def test_a_config_that_changes_nothing() -> None:
    """A config that turns nothing on, or concerns no value, is an author's own affair."""
    config = ConfigDict(
        str_min_length=0, str_max_length=None, str_to_lower=False, frozen=True, extra="forbid"
    )
    assert object_of(create_model("Calm", __config__=config, n=str)).fields[0].kind == Text()


class Inner(BaseModel):
    """An object."""

    n: int


class Empty(BaseModel):
    """Nothing at all."""


@pytest.mark.parametrize("annotation", [Inner, Empty])
def test_objects_are_flat_and_have_fields(annotation: Any) -> None:
    """An object inside an object is refused, and one without fields."""
    with pytest.raises(ContractInvalid, match=r"object inside an object|has no fields"):
        contract_of(bool, n=annotation)


class Told(BaseModel):
    """A field about which everything is told, and one about which nothing is."""

    weight: Annotated[
        float,
        Field(
            title="Weight",
            description="With its box.",
            examples=[2.5],
            validation_alias=AliasChoices("weight", "mass", "kg"),
            json_schema_extra={"unit": "kg"},
        ),
    ] = 1.0
    days_left: Annotated[int, Field(validation_alias="days")]


def test_what_is_told_about_a_field_is_kept() -> None:
    """Words for people, units, defaults and further names are the author's."""
    weight, days = object_of(Told).fields
    assert weight == kinds.Field(
        name="weight",
        kind=Number(),
        required=False,
        default=1.0,
        aliases=("mass", "kg"),
        title="Weight",
        description="With its box.",
        unit="kg",
        examples=(2.5,),
    )
    assert (days.title, days.aliases, days.required) == ("Days left", ("days",), True)


def test_spellings_are_kept_with_the_choice() -> None:
    """A choice knows its values' spellings, its values among them, and the numbers of JSON."""
    spellings = Spellings(readings={"Süd": "south"}, numbers={1: "North"}, described="or so")
    assert kind(Annotated[Literal["North", "south"], spellings]) == Choice(
        values=("North", "south"),
        spellings={"north": "North", "south": "south", "süd": "south", "sud": "south"},
        numbers={1: "North"},
        described="or so",
    )
