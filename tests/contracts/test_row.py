"""A row is the same inputs in every form."""

import random

from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.promises import contracts

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs


@given(contracts(), st.randoms(use_true_random=False))
def test_json_and_model_are_the_same_inputs(contract: Contract, source: random.Random) -> None:
    """From the model to JSON and back nothing is lost."""
    inputs = sample_inputs(contract, source)
    row = Row.of(inputs)
    assert row.inputs is inputs
    assert Row(contract.inputs, row.json).inputs == inputs
