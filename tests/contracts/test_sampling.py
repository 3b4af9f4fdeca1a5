"""Samples keep the promise that they are drawn from."""

import json
import random
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator
from tests.contracts.promises import DELIVERY, LETTER, contract_of, contracts, kind
from tests.contracts.samples import Bits, Ordered

from stopgap.contracts import kinds, values
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.drawing import SampleNotFound, draw
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.sampling import sample_inputs, sample_values, scattered_inputs


@settings(max_examples=300)
@given(contracts(), st.randoms(use_true_random=False))
def test_every_sample_keeps_its_promise(contract: Contract, source: random.Random) -> None:
    """Outputs and inputs, drawn or at a corner, keep their kind, also as JSON and as text."""
    record = kinds.Object(fields=contract.fields)
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
    assert corners(kinds.Object(fields=contract.fields))


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


def test_the_authors_own_validators_are_heeded() -> None:
    """Inputs that the author's own code refuses are drawn again; an impossible wish is given up."""
    contract = Contract(name="o", version="1", path="/o", inputs=Ordered, output=bool)
    row = sample_inputs(contract, random.Random(5))
    assert isinstance(row, Ordered)
    with pytest.raises(SampleNotFound, match=r"1,000 draws.*low must be below high"):
        sample_inputs(contract, Bits(0))


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
