"""A model that dies is started again: soon at first, then less and less often."""

from stopgap.models.restarting import LAST_SECONDS, LIVED_SECONDS, Restarts


def test_pauses_double_up_to_a_limit() -> None:
    """Deaths in a row are answered by growing pauses, which have an end."""
    restarts = Restarts()
    pauses = [restarts.pause(0.0) for _ in range(40)]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LAST_SECONDS


def test_a_life_of_some_length_counts_for_something() -> None:
    """A model that had been ready for long is started again at once."""
    restarts = Restarts()
    for _ in range(10):
        restarts.pause(LIVED_SECONDS - 1)
    assert restarts.pause(LIVED_SECONDS) == 0.1
