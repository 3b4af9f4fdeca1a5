"""Models for a server to serve; it loads this file as it is."""

import time
from collections.abc import Sequence

from stopgap.contracts.madcompany import Sales

SLOWLY_SECONDS = 0.01
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


class Slow:
    """Answers as quickly as any when it is asked alone, and ten times as slowly under load."""

    def __init__(self) -> None:
        self._asked = time.monotonic()

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer in its own time."""
        time.sleep(SLOWLY_SECONDS)
        return [2_500] * len(rows)


class Heavy(Steady):
    """Takes its time to be loaded."""

    def __init__(self) -> None:
        time.sleep(HEAVY_SECONDS)
