"""Restarting: how long a model that has died is left alone before it is started again."""

FIRST_SECONDS = 0.1
LAST_SECONDS = 30.0
LIVED_SECONDS = 10.0
"""A model that was ready for so long has not died of its start; its next death is its first."""


class Restarts:
    """Deaths in a row, and the growing pauses after them: a breaker between model and callers.

    While a pause lasts every caller is refused at once, and told how long it is.
    """

    def __init__(self) -> None:
        self._deaths = 0

    def pause(self, lived: float) -> float:
        """Note a death; tell the seconds until the next start: 0.1, doubled each time up to 30.

        Args:
            lived: Seconds for which the model was ready.
        """
        if lived >= LIVED_SECONDS:
            self._deaths = 0
        self._deaths += 1
        return min(LAST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._deaths - 1, 16))
