"""A choice can be written in more ways than one, and each is read as its value."""

from typing import Annotated, Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from tests.contracts.promises import choices, kind

from stopgap.contracts import kinds, values
from stopgap.contracts.spellings import Spellings, fold

Side = Annotated[
    Literal["Nörth", "south"],
    Spellings(readings={"N": "Nörth", "Süd": "south"}, numbers={1: "Nörth"}, described="or n"),
]


@pytest.mark.parametrize(
    ("written", "side"),
    [
        *[(text, "Nörth") for text in ("Nörth", "NÖRTH", "nörth", "no\u0308rth", "north", "n", 1)],
        *[(text, "south") for text in ("south", "SOUTH", "Süd", "sud", "SU\u0308D")],
    ],
)
def test_a_spelling_is_its_value(written: str | int, side: str) -> None:
    """Case and the encoding of accents do not matter, and accents can be left out."""
    assert values.read_json(kind(Side), written) == side
    assert TypeAdapter(Side).validate_python(written) == side


@pytest.mark.parametrize("written", ["Sóuth", "south ", "", "Nörth\n", 2, True, None, 1.5])
def test_what_is_no_spelling_stays_what_it_is(written: object) -> None:
    """An accent in the wrong place, a space or another number is refused."""
    with pytest.raises(values.OutOfBounds):
        values.read_json(kind(Side), written)
    with pytest.raises(ValidationError):
        TypeAdapter(Side).validate_python(written)


def test_a_spelling_can_be_a_value_without_its_accents() -> None:
    """Where two values differ in accents alone, each keeps its own spelling."""
    words = Annotated[Literal["peche", "pêche"], Spellings(readings={}, described="")]
    assert values.read_text(kind(words), "PECHE") == "peche"
    assert values.read_text(kind(words), "PÊCHE") == "pêche"


def test_what_two_values_are_without_their_accents_is_neither() -> None:
    """Nobody can tell which is meant, so it is refused, however many spellings each has."""
    spellings = Spellings(readings={"péche": "péché", "ete": "été"}, described="")
    words = Annotated[Literal["pêche", "péché", "été"], spellings]
    for refused in ("peche", "PECHE"):
        with pytest.raises(values.OutOfBounds):
            values.read_text(kind(words), refused)
        with pytest.raises(ValidationError):
            TypeAdapter(words).validate_python(refused)
    for read, value in (("PÊCHE", "pêche"), ("Péché", "péché"), ("ETE", "été")):
        assert values.read_text(kind(words), read) == value


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    """Folded text is folded already."""
    assert fold(fold(text)) == fold(text)


@given(choices(), st.text() | st.integers(-1, 4) | st.sampled_from(["N", "ETE", "NORTH", "É"]))
def test_pydantic_and_the_server_read_alike(annotation: Any, written: str | int) -> None:
    """A model's author who validates with the contract's type gets what the server gets."""
    promise = kind(annotation)
    assert isinstance(promise, kinds.Choice)
    try:
        read: object = values.read_json(promise, written)
    except values.OutOfBounds:
        read = None
    try:
        validated = TypeAdapter(annotation).validate_python(written)
    except ValidationError:
        validated = None
    assert read == validated


def test_a_model_reads_them_as_well() -> None:
    """The spellings belong to the type: whoever validates with the contract's inputs has them."""

    class Trip(BaseModel):
        side: Side

    assert Trip.model_validate({"side": "sud"}).side == "south"
    assert get_args(Side)[1].described == "or n"
