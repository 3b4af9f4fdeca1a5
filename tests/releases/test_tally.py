"""Tallies: what a release did in some time."""

from hypothesis import given
from hypothesis import strategies as st

from stopgap.releases.tally import Tally


@given(st.lists(st.integers(1, 10**9), min_size=1), st.floats(0.01, 1))
def test_within_which_time(durations: list[int], share: float) -> None:
    """At least the share came within what is told, and it is told no more than 9% too long."""
    tally = Tally(contract="test", number=1)
    for each in durations:
        tally.add("ok", each)
    told = tally.within(share)
    assert told is not None
    assert sum(each <= told for each in durations) >= share * len(durations) - 1e-9
    assert any(each >= told / 1.0906 for each in durations)


def test_without_answers() -> None:
    """Where nothing was answered, there is no time to tell."""
    tally = Tally(contract="test", number=1)
    tally.add("late", 1_000)
    assert tally.within(0.5) is None
