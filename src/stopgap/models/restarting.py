"""Restarting: how long a model that has died is left alone before it is started again."""

from dataclasses import dataclass

LIVED_SECONDS = 10.0
"""A model that was ready for so long has not died of its start; its next death is its first."""


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """Seconds between a model's end and its next start."""

    first: float
    growth: float  # of each over the one before
    last: float


FOR_CLIENTS = Pauses(first=0.1, growth=2.0, last=30.0)

BACKGROUND = Pauses(first=2.0, growth=4.0, last=300.0)
"""Nobody waits for a model in the background, and its start takes half a second of a core's time,
in which requests are slower: a shadow that hangs is to be noticed by none."""


class Restarts:
    """Deaths in a row, and the growing pauses after them: a breaker between model and callers.

    While a pause lasts every caller is refused at once, and told how long it is.
    """

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._deaths = 0

    def pause(self, lived: float) -> float:
        """Note a death; tell the seconds until the next start.

        Args:
            lived: Seconds for which the model was ready.
        """
        if lived >= LIVED_SECONDS:
            self._deaths = 0
        self._deaths += 1
        growth = self._pauses.growth ** min(self._deaths - 1, 16)
        return min(self._pauses.last, self._pauses.first * growth)
