"""Recent charts: what a chart showed a moment ago, so that not every page counts anew."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.spread import Bar
from stopgap.journal.summary import Timeline

SECONDS = 60.0
"""How old a chart may be."""

ROOM = 256
"""Charts that are remembered; when there are more, all are forgotten."""

T = TypeVar("T")


class RecentCharts:
    """The journal's charts, each counted once a minute."""

    def __init__(self, journal: Journal, monotonic: Callable[[], float]) -> None:
        self._journal = journal
        self._monotonic = monotonic
        self._known: dict[object, tuple[float, Any]] = {}

    def timeline(self, filters: Filters) -> Timeline:
        """Count answers over time, as `Journal.timeline` does."""
        return self._recall(("timeline", filters), lambda: self._journal.timeline(filters))

    def spread(self, filters: Filters, *, name: str = "") -> Sequence[Bar]:
        """Count answers by what they were, as `Journal.spread` does."""
        key = ("spread", filters, name)
        return self._recall(key, lambda: self._journal.spread(filters, name=name))

    def forget(self) -> None:
        """Count everything anew from now on."""
        self._known.clear()

    def _recall(self, key: object, count: Callable[[], T]) -> T:
        now = self._monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            found: T = known[1]
            return found
        made = count()
        if len(self._known) >= ROOM:
            self._known.clear()
        self._known[key] = (now + SECONDS, made)
        return made
