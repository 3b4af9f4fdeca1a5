"""What came of an answer, as people and programs report it."""

import pytest
from tests.contracts.promises import DELIVERY

from stopgap.contracts.madcompany import contract
from stopgap.journal.outcome import OutcomeInvalid, read_outcome


def test_it_has_the_promised_type() -> None:
    """A number is read in whatever range, an object as JSON: what happened was not promised."""
    assert read_outcome(contract.output_kind, "-7") == -7
    told = '{"days": 99, "carrier": "north"}'
    assert read_outcome(DELIVERY.output_kind, told) == {"days": 99, "carrier": "north"}


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", '{"days": 1}', '{"days": 1, "carrier": "east"}', "[" * 100_000, "\ud800"]
    + ['{"days": 1, "days": 2, "carrier": "north"}'],
)
def test_what_it_cannot_be(text: str) -> None:
    """Anything else is told, however it is written or nested."""
    for kind in (contract.output_kind, DELIVERY.output_kind):
        with pytest.raises(OutcomeInvalid):
            read_outcome(kind, text)
