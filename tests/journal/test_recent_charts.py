"""Recent charts: at most a minute old, and never another's."""

from datetime import timedelta

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
    add(journal_database, various(5))
    first = charts.count(filters)
    add(journal_database, various(20, seed=2))
    clock.forward(seconds=SECONDS - 1)
    assert charts.count(filters) == first
    assert charts.count(Filters(since=START, caller="ann")).spread != charts.count(filters).spread
    assert charts.count(filters, name="days").spread
    clock.forward(seconds=1)
    assert charts.count(filters).timeline == journal.charts(filters).timeline
    assert charts.count(filters).spread == journal.charts(filters).spread


def test_the_first_answer_is_in_a_chart_at_once(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """That there is nothing is not remembered: whoever asks for the first answer looks for it."""
    charts, filters = RecentCharts(journal, clock.monotonic), Filters(since=START)
    assert not charts.count(filters).timeline.points
    add(journal_database, various(1))
    assert charts.count(filters).timeline.points


def test_so_many_are_remembered(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """However many filters somebody thinks of, memory has an end."""
    charts = RecentCharts(journal, clock.monotonic)
    add(journal_database, various(1))
    for number in range(ROOM + 10):
        assert charts.count(Filters(since=START - timedelta(hours=number))).timeline.points
    assert 0 < len(charts._known) <= ROOM
