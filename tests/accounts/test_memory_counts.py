"""Counts that threads share are counted by each, and end none with an error."""

import time
from concurrent.futures import ThreadPoolExecutor

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


class Slow(dict[str, float]):
    """What takes a moment to read, in which other threads go on."""

    def get(self, key: str, default: float = 0.0) -> float:  # type: ignore[override]  # as it is called
        """Find something, and tell it late."""
        found = super().get(key, default)
        time.sleep(0.01)
        return found


def test_none_is_lost_of_those_that_come_together() -> None:
    """However many threads count the same at once, each of them counts."""
    counts = MemoryCounts()
    counts.expirations = Slow()
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda _: counts.incr("somebody", 60), range(8))
    assert sorted(found) == list(range(1, 9))


def test_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is shut out for as long as the clock was ahead: the count begins anew."""
    counts, now = MemoryCounts(), time.time()
    counts.incr("somebody", 60, 5)
    monkeypatch.setattr(time, "time", lambda: now - 30)
    assert counts.incr("somebody", 60) == 1
    assert counts.incr("somebody", 60) == 2
