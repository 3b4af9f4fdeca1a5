"""Models for a server to serve; it loads this file as it is."""

import time
from collections.abc import Sequence

from stopgap.contracts.madcompany import Sales

CALL_SECONDS = 0.02
HEAVY_SECONDS = 5.0


class Steady:
    """Answers from 3000 on, by the visits."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer."""
        return [3_000 + row.customer_visiting_website % 1_000 for row in rows]


class Other:
    """Answers from 4000 on, by the visits."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer."""
        return [4_000 + row.customer_visiting_website % 1_000 for row in rows]


class Waiting:
    """Waits for something else, as a model behind a network does."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, in time."""
        time.sleep(CALL_SECONDS)
        return [3_000] * len(rows)


class Computing:
    """Computes in Python, so that no other thread gets far meanwhile."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, in time."""
        end = time.thread_time() + CALL_SECONDS
        while time.thread_time() < end:
            sum(range(1_000))
        return [3_000] * len(rows)


class Heavy(Steady):
    """Takes its time to be loaded."""

    def __init__(self) -> None:
        time.sleep(HEAVY_SECONDS)
