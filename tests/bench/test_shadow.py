"""What a shadow costs is told only of rounds in which it hung."""

import pytest
from bench.shadow import hanging


def test_a_round_in_which_it_hung() -> None:
    """Copies that were late in this round count; those of the rounds before do not."""
    late = iter([0, 24, 24, 24])
    with hanging(late.__next__):
        pass
    with pytest.raises(SystemExit, match="did not hang"), hanging(late.__next__):
        pass
