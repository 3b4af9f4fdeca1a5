"""Recent charts: what a chart showed a moment ago, so that not every page counts anew."""

from collections.abc import Callable

from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.summary import Charts

SECONDS = 60.0
"""How old a chart may be."""

ROOM = 256
"""Charts that are remembered; when there are more, all are forgotten."""


class RecentCharts:
    """The journal's charts, each counted once a minute, from the first answer on."""

    def __init__(self, journal: Journal, monotonic: Callable[[], float]) -> None:
        self._journal = journal
        self._monotonic = monotonic
        self._known: dict[tuple[Filters, str | None, str], tuple[float, Charts]] = {}

    def count(self, filters: Filters, *, contract: str | None = None, name: str = "") -> Charts:
        """Count answers, as `Journal.charts` does, or tell what was counted."""
        key = (filters, contract, name)
        now = self._monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        made = self._journal.charts(filters, contract=contract, name=name)
        if not made.timeline.points:
            return made  # whoever has just asked for the first answer wants to see it
        if len(self._known) >= ROOM:
            self._known.clear()
        self._known[key] = (now + SECONDS, made)
        return made

    def forget(self) -> None:
        """Count everything anew from now on."""
        self._known.clear()
