"""What people are shown as an example works."""

from hypothesis import given
from pydantic import BaseModel
from tests.contracts.promises import contracts

from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.given import query_values
from stopgap.contracts.parsing import read_path


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
