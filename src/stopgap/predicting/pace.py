"""The pace: how fast a model answers while it has work, so that nobody waits in vain."""

from collections.abc import Callable

MEMORY_SECONDS = 1.0
"""After so many seconds of work, what was seen before counts half."""

BELIEVED = 0.5
"""The share that counts of a wait which is only guessed: until a model that was idle has answered
again, it is taken to be as fast as it ever was. Nobody may wait for more than half of a deadline,
so whoever is refused by such a guess would have waited for all of it, even at that speed."""

SMOOTHNESS = 16
"""The mean time of an answer follows roughly so many of the last ones."""


class Pace:
    """How long whoever comes now will wait for a model.

    Two guesses are made, and the shorter is believed, since each is too long in its own way. The
    answers that were given since the model last was idle tell how many it gives in a second; but
    the first of them may have been one alone, where the next are sixty-four at a time. The time
    that an answer takes tells how long a batch does; but it is longer by its wait.

    Who leaves without an answer is counted with the others, since that ends a wait too; only how
    fast the model ever was is told by answers alone.

    It has one writer: the thread of the event loop.

    Args:
        batch: Rows that the model takes at once.
        monotonic: Tells seconds.
    """

    __slots__ = ("_batch", "_began", "_fastest", "_left", "_mean", "_monotonic", "inside")

    def __init__(self, batch: int, monotonic: Callable[[], float]) -> None:
        self._batch = batch
        self._monotonic = monotonic
        self._began = 0.0
        self._left = 0.0
        self._fastest = 0.0  # answers in a second, since it was idle, at any time
        self._mean = 0.0
        self.inside = 0

    def wait(self) -> float:
        """Tell the seconds; 0 where nothing is known yet."""
        rate = self._rate(self._monotonic()) if self._left else self._fastest
        if not rate:
            return 0.0
        batches = self.inside // self._batch + 1
        seconds = min(self.inside / rate, batches * self._mean)
        return seconds if self._left else BELIEVED * seconds

    def enter(self) -> float:
        """Note that one more waits; tell the moment."""
        now = self._monotonic()
        if not self.inside:
            self._began, self._left = now, 0.0
        self.inside += 1
        return now

    def leave(self, entered: float, *, answered: bool = True) -> float:
        """Note that who came at a moment has an answer, or none; tell the seconds between."""
        now = self._monotonic()
        took = now - entered
        self.inside -= 1
        self._left += 1
        if answered:
            self._fastest = max(self._fastest, self._rate(now))
        self._mean += (took - self._mean) / (SMOOTHNESS if self._mean else 1)
        if now - self._began > MEMORY_SECONDS:
            self._began += (now - self._began) / 2
            self._left /= 2
        return took

    def _rate(self, now: float) -> float:
        """Tell the answers in a second since it was idle."""
        return self._left / max(now - self._began, 1e-6)
