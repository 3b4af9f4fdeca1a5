"""Counts that threads share are counted by each, and end none with an error."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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


class Watched(dict[str, float]):
    """What tells how often it was looked through."""

    looks = 0

    def keys(self) -> Any:
        """Tell all keys."""
        self.looks += 1
        return super().keys()


def test_what_has_expired_is_looked_for_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is counted, all counts are looked through once a second, and then forgotten."""
    counts, now = MemoryCounts(), time.monotonic()
    counts.timer.join()
    counts.expirations = watched = Watched()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(5):
        counts.incr(str(number), 60)
        counts.timer.join()
    assert (watched.looks, len(watched)) == (1, 5)
    watched["0"] = 0.0  # it has expired
    now += 1
    counts.incr("another", 60)
    counts.timer.join()
    assert (watched.looks, sorted(watched)) == (2, ["1", "2", "3", "4", "another"])


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
