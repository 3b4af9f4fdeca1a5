"""Counts that threads share end no thread with an error."""

from stopgap.accounts.counts import MemoryCounts


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
