"""While there is no model, whoever asks is told so at once."""

import pytest
from tests.models.slots import row

from stopgap.models.failures import ModelUnavailable
from stopgap.models.refusing_batcher import RefusingBatcher


@pytest.mark.parametrize("whole", [True, False])
def test_each_is_refused_with_a_failure_of_its_own(*, whole: bool) -> None:
    """A failure takes its caller's traceback along, so nobody else may get it."""
    refusing = RefusingBatcher(lambda: ModelUnavailable("It has not been started.", 2.0))
    seen = []
    for _ in range(2):
        with pytest.raises(ModelUnavailable) as caught:
            refusing.ask((row(1),), whole=whole)
        assert (caught.value.reason, caught.value.retry_after) == ("It has not been started.", 2.0)
        seen.append(caught.value)
    assert seen[0] is not seen[1]


def test_only_those_over_whom_the_model_hangs_are_left() -> None:
    """Nobody waits for a model that is not there."""
    refusing = RefusingBatcher(lambda: ModelUnavailable("gone", 0.0))
    assert (refusing.waiting, refusing.trouble) == (0, "gone")
    assert RefusingBatcher(lambda: ModelUnavailable("hangs", 0.0), flying=3).waiting == 3
