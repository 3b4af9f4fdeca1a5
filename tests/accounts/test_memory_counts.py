"""Counts that threads share end no thread with an error."""

import time

import pytest

from stopgap.accounts.memory_counts import MemoryCounts


class Vanishing(dict[str, float]):
    """What another thread has just emptied."""

    def __getitem__(self, key: str) -> float:
        """Find nothing, though the key was there a moment ago."""
        raise KeyError(key)


def test_what_is_gone_already_need_not_be_forgotten() -> None:
    """What expires in the very moment in which it is cleared is no error, in no thread."""
    counts = MemoryCounts()
    counts.timer.join()
    counts.expirations = Vanishing(somebody=0.0)
    counts.incr("another", 60)
    counts.timer.join()
    assert counts.get("another") == 1


def test_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is shut out for as long as the clock was ahead: the count begins anew."""
    counts, now = MemoryCounts(), time.time()
    counts.incr("somebody", 60, 5)
    monkeypatch.setattr(time, "time", lambda: now - 30)
    assert counts.incr("somebody", 60) == 1
    assert counts.incr("somebody", 60) == 2
