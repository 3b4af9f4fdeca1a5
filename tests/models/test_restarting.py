"""A model that dies is started again: soon at first, then less and less often."""

import pytest

from stopgap.models.restarting import BACKGROUND, FOR_CLIENTS, LIVED_SECONDS, Pauses, Restarts


@pytest.mark.parametrize(
    ("pauses", "first"),
    [(FOR_CLIENTS, [0.1, 0.2, 0.4, 0.8]), (BACKGROUND, [2.0, 8.0, 32.0, 128.0])],
)
def test_pauses_grow_up_to_a_limit(pauses: Pauses, first: list[float]) -> None:
    """Deaths in a row are answered by growing pauses, which have an end."""
    restarts = Restarts(pauses)
    seen = [restarts.pause(0.0) for _ in range(40)]
    assert seen[:4] == first
    assert seen == sorted(seen)
    assert seen[-1] == pauses.last


def test_a_life_of_some_length_counts_for_something() -> None:
    """A model that had been ready for long is started again at once."""
    restarts = Restarts(FOR_CLIENTS)
    for _ in range(10):
        restarts.pause(LIVED_SECONDS - 1)
    assert restarts.pause(LIVED_SECONDS) == 0.1


@pytest.mark.parametrize("pauses", [FOR_CLIENTS, BACKGROUND])
def test_however_often_it_dies(pauses: Pauses) -> None:
    """The pause has an end, and so have the numbers that it is reckoned with."""
    restarts = Restarts(pauses)
    assert [restarts.pause(0.0) for _ in range(2_000)][-1] == pauses.last
