"""Corners are allowed, and all that are worth trying."""

from itertools import islice
from typing import Annotated

from hypothesis import given
from pydantic import Field
from tests.contracts.promises import contract_of, contracts
from tests.contracts.samples import Ordered

from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corner_inputs, corners


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
