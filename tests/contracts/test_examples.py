"""What people are shown as an example works."""

from hypothesis import given
from tests.contracts.promises import contracts

from stopgap.contracts.contract import Contract
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.given import query_values
from stopgap.contracts.parsing import read_path


@given(contracts())
def test_what_is_shown_as_an_example_works(contract: Contract) -> None:
    """The inputs that people are shown are allowed, and make an address that reads back as them."""
    shown = example_inputs(contract)
    expected = contract.inputs.model_validate(shown, by_alias=False, by_name=True)
    path, _, query = contract.address(shown).partition("?")
    assert read_path(contract, path, query_values(query)) == expected
