"""What came of an answer, as people and programs report it."""

import pytest
from tests.contracts.promises import DELIVERY

from stopgap.contracts.madcompany import contract
from stopgap.journal.actual import OutcomeInvalid, read_actual


def test_it_has_the_promised_type() -> None:
    """A number is read in whatever range, an object as JSON: what happened was not promised."""
    assert read_actual(contract.output_kind, "-7") == -7
    told = '{"days": 99, "carrier": "north"}'
    assert read_actual(DELIVERY.output_kind, told) == {"days": 99, "carrier": "north"}


def test_a_part_may_be_all_that_is_known() -> None:
    """Of an object that is answered, what came of some fields can be told, and not of others."""
    assert read_actual(DELIVERY.output_kind, '{"days": 1}') == {"days": 1}


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", '{"day": 1}', '{"days": "1"}', '{"days": 1, "carrier": "east"}']
    + ["[" * 100_000, "\ud800", '{"days": 1, "days": 2, "carrier": "north"}']
    + ['{"days": 1, "carrier": "north", "more": 1}', '{"days": NaN}'],
)
def test_what_it_cannot_be(text: str) -> None:
    """Anything else is told, however it is written or nested."""
    for kind in (contract.output_kind, DELIVERY.output_kind):
        with pytest.raises(OutcomeInvalid):
            read_actual(kind, text)
