"""Recent charts: at most a minute old, and never another's."""

from tests.fakes import FakeClock
from tests.journal.filling import START, add, various

from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.recent_charts import ROOM, SECONDS, RecentCharts
from stopgap.storage.database import Database


def test_a_chart_is_counted_once_a_minute(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """What comes in is in a chart a minute later, and until then no other chart takes its place."""
    charts, filters = RecentCharts(journal, clock.monotonic), Filters(since=START)
    assert not charts.count(filters).timeline.points
    assert not charts.count(filters).spread
    add(journal_database, various(20))
    clock.forward(seconds=SECONDS - 1)
    assert not charts.count(filters).timeline.points
    assert not charts.count(filters).spread
    assert charts.count(Filters(since=START, caller="ann")).spread != charts.count(filters).spread
    assert charts.count(filters, name="days").spread
    clock.forward(seconds=1)
    assert charts.count(filters).timeline == journal.charts(filters).timeline
    assert charts.count(filters).spread == journal.charts(filters).spread


def test_so_many_are_remembered(journal: Journal, clock: FakeClock) -> None:
    """However many filters somebody thinks of, memory has an end."""
    charts = RecentCharts(journal, clock.monotonic)
    for number in range(ROOM + 10):
        charts.count(Filters(release=str(number)))
    assert len(charts._known) <= ROOM
