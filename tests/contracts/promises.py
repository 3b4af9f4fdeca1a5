"""Contracts to test with: three that are written down, and any that hypothesis thinks of."""

from pathlib import Path
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, Field, create_model

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contract
from stopgap.contracts.spellings import Spellings

EXAMPLE = Path(__file__).parents[2] / "examples" / "delivery.py"
DELIVERY = load_contract(f"{EXAMPLE}:contract")


class Letter(BaseModel):
    """One input of every kind."""

    note: Annotated[str, Field(max_length=20)]
    code: Annotated[str, Field(pattern="^[a-c]{2,5}$", examples=["abc"])]
    floor: Annotated[int, Field(ge=-5, le=5, validation_alias=AliasChoices("floor", "level"))]
    weight: float
    fragile: bool
    side: Annotated[
        Literal["Nörth", "south"],
        Spellings(readings={"n": "Nörth"}, numbers={1: "Nörth"}, described="or n"),
    ]
    copies: Annotated[int, Field(ge=0, le=9, validation_alias=AliasChoices("copies", "sets"))] = 3
    colour: Annotated[str, Field(min_length=2, max_length=8)] = "red"


class Fate(BaseModel):
    """One output of every kind."""

    arrives: bool
    days: Annotated[int, Field(ge=-3, le=3)]
    cost: Annotated[float, Field(gt=0, lt=1)]
    by: Literal["sea", "air"]


LETTER = Contract(
    name="letter",
    version="1.0.0",
    path="/letter/{note}/to/{floor}/{weight}/{side}",
    inputs=Letter,
    output=Fate,
    unit="letters",
)


def contract_of(output: Any, path: str = "/p", /, **inputs: Any) -> Contract:
    """Write a contract down in a line: `contract_of(bool, n=int, m=(int, 5))`."""
    model = _model_of(inputs or {"n": int})
    return Contract(name="test", version="1.0.0", path=path, inputs=model, output=output)


def kind(annotation: Any) -> kinds.Scalar:
    """Translate a type as a contract does."""
    return contract_of(bool, n=annotation).fields[0].kind


def _model_of(inputs: dict[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: given if isinstance(given, tuple) else (given, ...) for name, given in inputs.items()
    }
    return create_model("Fields", **fields)


def _bounds(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(numbers, numbers).map(sorted).map(lambda ends: (ends[0], ends[1]))


def integers(low: int = -kinds.INTEGER_MAX, high: int = kinds.INTEGER_MAX) -> Any:
    """Integers of any range."""
    return _bounds(st.integers(low, high)).map(
        lambda ends: Annotated[int, Field(ge=ends[0], le=ends[1])]
    )


def numbers(low: float = -1e308, high: float = 1e308) -> Any:
    """Numbers of any range, each end in it or not."""

    def annotate(given: tuple[tuple[float, float], bool, bool]) -> Any:
        (least, most), open_low, open_high = given
        if least == most:
            return Annotated[float, Field(ge=least, le=most)]
        lows = Field(gt=least) if open_low else Field(ge=least)
        highs = Field(lt=most) if open_high else Field(le=most)
        return Annotated[float, lows, highs]

    ends = _bounds(st.floats(low, high, allow_subnormal=False)).filter(_has_inside)
    return st.tuples(ends, st.booleans(), st.booleans()).map(annotate)


def _has_inside(ends: tuple[float, float]) -> bool:
    return ends[0] == ends[1] or ends[1] - ends[0] > 1e-9 * max(abs(ends[0]), abs(ends[1]))


WORDS = ("north", "south", "Été", "1")


def choices() -> Any:
    """Choices among few words, with and without further spellings."""

    def annotate(given: tuple[list[str], dict[str, int], dict[int, int]]) -> Any:
        words, readings, written = given
        plain: Any = Literal[tuple(words)]
        if not readings:
            return plain
        return Annotated[
            plain,
            Spellings(
                readings={key: words[place % len(words)] for key, place in readings.items()},
                numbers={key: words[place % len(words)] for key, place in written.items()},
                described="or shorter",
            ),
        ]

    return st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, unique=True),
        st.dictionaries(st.sampled_from(["n", "s", "é", "ss"]), st.integers(0, 3), max_size=3),
        st.dictionaries(st.integers(0, 3), st.integers(0, 3), max_size=3),
    ).map(annotate)


def texts() -> Any:
    """Texts of any length, without a pattern."""
    return _bounds(st.integers(0, 9)).map(
        lambda ends: Annotated[str, Field(min_length=ends[0], max_length=ends[1])]
    )


def outputs() -> Any:
    """Every output that can be served."""
    values = st.one_of(integers(high=kinds.INTEGER_MAX - 1), numbers(), choices(), st.just(bool))
    records = st.dictionaries(st.sampled_from("abc"), values, min_size=1).map(_model_of)
    return values | records


def contracts() -> Any:
    """Any contract with any inputs."""
    values = st.one_of(integers(), numbers(), choices(), texts(), st.just(bool))
    inputs = st.dictionaries(st.sampled_from(["n", "m", "l"]), values, min_size=1)
    return st.builds(lambda output, fields: contract_of(output, **fields), outputs(), inputs)
