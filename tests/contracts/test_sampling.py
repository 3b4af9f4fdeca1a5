"""Samples keep the promise that they are drawn from, evenly."""

import json
import math
import random
from collections import Counter
from itertools import islice
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator
from tests.contracts.promises import DELIVERY, LETTER, contract_of, contracts, kind

from stopgap.contracts import kinds, values
from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import query_values, read_path
from stopgap.contracts.sampling import (
    SampleNotFound,
    check_samples,
    corner_inputs,
    corners,
    draw,
    drawer,
    example_inputs,
    sample_inputs,
    sample_values,
    scattered_inputs,
)

DRAWS = 100_000
PROMISED = range(2000, 5001)
FREEDOM = len(PROMISED) - 1
"""Degrees of freedom: a chi-square of so many has this mean, and twice it as its variance."""


def draws(source: random.Random) -> Counter[int]:
    """Draw from MadCompany's promise."""
    return Counter(draw(madcompany.output_kind, source) for _ in range(DRAWS))


def unevenness(counts: Counter[int]) -> float:
    """Tell by how many standard deviations the chi-square is above its mean."""
    expected = DRAWS / len(PROMISED)
    chi_square: float = sum((counts[value] - expected) ** 2 / expected for value in PROMISED)
    return (chi_square - FREEDOM) / math.sqrt(2 * FREEDOM)


def test_madcompany_is_drawn_evenly_from_2000_to_5000() -> None:
    """A hundred thousand draws are inside, hit both ends, and are neither uneven nor too even."""
    counts = draws(random.Random(20_260_131))
    assert set(counts) == set(PROMISED)
    assert abs(unevenness(counts)) < 2


def test_madcompany_is_drawn_evenly_from_the_systems_randomness() -> None:
    """The same holds for a source that nobody has chosen; 8 deviations are one run in 10^13."""
    counts = draws(random.Random(random.SystemRandom().getrandbits(64)))
    assert set(counts) <= set(PROMISED)
    assert abs(unevenness(counts)) < 8


def test_an_uneven_draw_would_be_noticed() -> None:
    """The measure itself tells a draw that favours one half by a few percent."""
    source = random.Random(1)
    low, high = range(2000, 3500), range(3500, 5001)
    counts = Counter(source.choice(low if source.random() < 0.52 else high) for _ in range(DRAWS))
    assert unevenness(counts) > 2


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
def test_numbers_are_drawn_evenly(share: float) -> None:
    """A quarter of a number's range gets a quarter of the draws."""
    source = random.Random(7)
    found = [draw(kinds.Number(low=-3.0, high=5.0), source) for _ in range(20_000)]
    inside = sum(share <= (number + 3) / 8 < share + 0.25 for number in found)
    assert abs(inside - 5_000) < 300


@given(contracts(), st.integers(0, 2**32))
def test_a_drawer_draws_as_draw_does(contract: Contract, seed: int) -> None:
    """From the same source both draw the same values; so what holds for one holds for the other."""
    one, other = random.Random(seed), random.Random(seed)
    again = drawer(contract.output_kind, one)
    assert [again() for _ in range(5)] == [draw(contract.output_kind, other) for _ in range(5)]


class Bits(random.Random):
    """A source whose every bit is the same."""

    def __init__(self, bit: int) -> None:
        super().__init__()
        self.bit = bit

    def getrandbits(self, k: int) -> int:
        """Draw `k` of the bit."""
        return ((1 << k) - 1) * self.bit


@pytest.mark.parametrize(
    ("promise", "low", "high"),
    [
        (kinds.Number(low=0.5, high=14.0), 0.5, 14.0),
        (kinds.Number(low=0.1, high=0.3, low_open=True), 0.10000000000000002, 0.3),
        (kinds.Number(low=0.0, high=1.0, low_open=True, high_open=True), 5e-324, 1 - 2**-53),
        (kinds.Number(), -kinds.NUMBER_MAX, kinds.NUMBER_MAX),
        (kinds.Integer(low=0, high=7), 0, 7),
    ],
)
def test_both_ends_can_be_drawn(promise: kinds.Kind, low: float, high: float) -> None:
    """The least and the greatest draw are the ends of the range, or just inside open ones."""
    assert (draw(promise, Bits(0)), draw(promise, Bits(1))) == (low, high)
    assert corners(promise) == [low, high]


@settings(max_examples=300)
@given(contracts(), st.randoms(use_true_random=False))
def test_every_sample_keeps_its_promise(contract: Contract, source: random.Random) -> None:
    """Outputs and inputs, drawn or at a corner, keep their kind, also as JSON and as text."""
    record = kinds.Record(fields=contract.fields)
    for promise in (contract.output_kind, record):
        for sample in [draw(promise, source), *corners(promise)]:
            assert values.breach(promise, sample) is None
            assert json.loads(json.dumps(sample)) == sample
    for row in [sample_inputs(contract, source).model_dump(), *corners(record)]:
        assert contract.inputs.model_validate(row).model_dump() == row
        for field in contract.fields:
            assert_reads_back(field.kind, row[field.name])


def assert_reads_back(promise: kinds.Scalar, value: Any) -> None:
    """Hold that a value is itself again once it was written."""
    assert values.read_text(promise, values.write_text(value)) == value
    assert values.read_json(promise, json.loads(json.dumps(value))) == value


@pytest.mark.parametrize("contract", [madcompany, DELIVERY, LETTER])
def test_contracts_that_people_write_are_sampled(contract: Contract) -> None:
    """Examples stand in for texts with a pattern; the rest is drawn, and differs."""
    source = random.Random(3)
    rows = [sample_inputs(contract, source) for _ in range(50)]
    assert len({row.model_dump_json() for row in rows}) > 40
    assert corners(kinds.Record(fields=contract.fields))


def test_a_pattern_needs_an_example() -> None:
    """A text with a pattern and no example is a sample that cannot be found, and that is said."""
    promise = kind(Annotated[str, Field(pattern="^a+$")])
    contract = contract_of(bool, n=Annotated[str, Field(pattern="^a+$")])
    for attempt in (
        lambda: draw(promise, random.Random(1)),
        lambda: corners(promise),
        lambda: sample_inputs(contract, random.Random(1)),
    ):
        with pytest.raises(SampleNotFound, match=r"pattern.*example"):
            attempt()


class Ordered(BaseModel):
    """Two numbers, the first of which is the smaller."""

    low: Annotated[int, Field(ge=0, le=9)]
    high: Annotated[int, Field(ge=0, le=9)]

    @model_validator(mode="after")
    def check(self) -> "Ordered":
        """Hold the two against each other."""
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


def test_the_authors_own_validators_are_heeded() -> None:
    """Inputs that the author's own code refuses are drawn again; an impossible wish is given up."""
    contract = Contract(name="o", version="1", path="/o", inputs=Ordered, output=bool)
    row = sample_inputs(contract, random.Random(5))
    assert isinstance(row, Ordered)
    with pytest.raises(SampleNotFound, match=r"1,000 draws.*low must be below high"):
        sample_inputs(contract, Bits(0))


@given(contracts())
def test_what_is_shown_as_an_example_works(contract: Contract) -> None:
    """The inputs that people are shown are allowed, and make an address that reads back as them."""
    shown = example_inputs(contract)
    expected = contract.inputs.model_validate(shown, by_alias=False, by_name=True)
    path, _, query = contract.address(shown).partition("?")
    assert read_path(contract, path, query_values(query)) == expected


@given(contracts())
def test_corner_inputs(contract: Contract) -> None:
    """Corners are allowed, all different, and hold each corner of each field."""
    found = list(islice(corner_inputs(contract), 2_000))
    written = [inputs.model_dump_json() for inputs in found]
    assert len(set(written)) == len(written)
    for field in contract.fields:
        values = [getattr(inputs, field.name) for inputs in found]
        for corner in corners(field.kind):
            assert corner in values


def test_corners_of_one_field_beside_the_others() -> None:
    """Each edge of a field stands beside the least values of the others, and the greatest."""
    contract = contract_of(
        bool,
        n=Annotated[int, Field(ge=-9, le=9)],
        m=Annotated[float, Field(ge=0, le=2)],
        b=(bool, True),
    )
    found = {tuple(inputs.model_dump().values()) for inputs in corner_inputs(contract)}
    for n in (-9, -8, -1, 0, 1, 8, 9):
        assert {(n, 0.0, False), (n, 2.0, True)} <= found
    assert {(-9, 1.0, False), (9, 1e-300, True)} <= found
    assert len(found) < 40


def test_corners_that_the_author_refuses() -> None:
    """What the author's own validators refuse is no corner."""
    contract = Contract(name="pair", version="1.0.0", path="/p", inputs=Ordered, output=bool)
    found = [tuple(inputs.model_dump().values()) for inputs in corner_inputs(contract)]
    assert (0, 9) in found
    assert all(less < more for less, more in found)


@given(contracts(), st.integers(0, 2**32))
def test_scattered_inputs_are_allowed(contract: Contract, seed: int) -> None:
    """Inputs of every magnitude keep the contract."""
    inputs = scattered_inputs(contract, random.Random(seed))
    assert contract.inputs.model_validate_json(inputs.model_dump_json(), by_name=True) == inputs


def test_scattered_inputs_are_of_every_magnitude() -> None:
    """Of a range up to 2^53, small numbers are drawn about as often as large ones."""
    contract = contract_of(bool, n=Annotated[int, Field(ge=0, le=2**53 - 1)])
    source = random.Random(1)
    sizes = [
        scattered_inputs(contract, source).model_dump()["n"].bit_length() for _ in range(4_000)
    ]
    for low, high in ((0, 10), (10, 20), (20, 30), (30, 40), (40, 50)):
        assert sum(low <= size < high for size in sizes) > 100


def test_sampled_values_are_what_a_client_sends() -> None:
    """Values for a server to read are not what the author's validators make of them."""

    class Share(BaseModel):
        share: Annotated[float, Field(ge=0, le=1)]

        @field_validator("share")
        @classmethod
        def to_percent(cls, value: float) -> float:
            return value * 100

    contract = Contract(name="share", version="1", path="/share", inputs=Share, output=bool)
    source = random.Random(1)
    assert all(0 <= sample_values(contract, source)["share"] <= 1 for _ in range(20))
    assert any(sample_inputs(contract, source).model_dump()["share"] > 1 for _ in range(20))


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
    check_samples(contract, random.Random(1))
    assert sample_values(contract, random.Random(1)) == {"number": 1234567}


class Refusing(BaseModel):
    """Nothing is right."""

    number: int

    @field_validator("number")
    @classmethod
    def refuse(cls, value: int) -> int:
        """Refuse it."""
        raise ValueError(f"not {value}"[:3])


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
        check_samples(contract, random.Random(1))
        return
    with pytest.raises(ContractInvalid, match=said):
        check_samples(contract, random.Random(1))
