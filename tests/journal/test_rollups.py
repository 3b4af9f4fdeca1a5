"""Roll-ups: what charts show is what the records say."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from tests.fakes import FakeClock
from tests.journal.filling import START, add, at, meets, various
from tests.journal.records import record

from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.spread import BARS, Bar, drawn
from stopgap.journal.store import caller_charts, charts
from stopgap.storage.database import Database

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal with records in disorder, some of them twice."""
    made = various(300)
    mixed = made + made[50:80]
    random.Random(3).shuffle(mixed)
    for start in range(0, len(mixed), 40):
        add(journal_database, mixed[start : start + 40])
    return made


def counted(records: list[Record], filters: Filters, seconds: int) -> Counter[tuple[datetime, str]]:
    """Count the records themselves, by step of time and release."""
    width = seconds * 1_000_000
    return Counter(
        (datetime.fromtimestamp(each.at // width * seconds, UTC), f"{each.contract} {each.release}")
        for each in records
        if meets(each, filters)
    )


@pytest.mark.parametrize(
    ("filters", "seconds"),
    [
        (Filters(), 86_400),
        (Filters(since=START), 60),
        (Filters(since=START, until=START + timedelta(minutes=5)), 60),
        (Filters(since=START, contract="madcompany"), 60),
        (Filters(since=START, release="7"), 60),
        (Filters(since=START, contract="unknown"), 60),
        (Filters(since=START - DAY), 3_600),
        (Filters(since=START - 19 * DAY, contract="delivery-time", release="stand-in"), 3_600),
        (Filters(since=START - 30 * DAY), 86_400),
        (Filters(since=START + 30 * DAY, until=START + 31 * DAY), 3_600),
    ],
)
def test_answers_over_time(
    journal: Journal, some: list[Record], clock: FakeClock, filters: Filters, seconds: int
) -> None:
    """Each step of a timeline tells the answers of each release; a longer time has wider steps."""
    clock.forward(hours=-8)
    timeline = journal.charts(filters).timeline
    assert timeline.seconds == seconds
    shown = {(p.start, f"{p.contract} {p.release}"): p.answers for p in timeline.points}
    assert shown == counted(some, filters, seconds)
    assert [p.start for p in timeline.points] == sorted(p.start for p in timeline.points)


def test_a_little_later_is_no_step_more(
    journal: Journal, journal_database: Database, clock: FakeClock
) -> None:
    """What was asked for three days back is three days, though it is looked up a moment after."""
    add(journal_database, [record(at=at(clock.now() - HOUR)), record(at=at(clock.now()))])
    filters = Filters(since=clock.now())
    clock.forward(days=3, microseconds=1)
    assert [each.answers for each in journal.stats(filters)] == [1]
    assert journal.charts(filters).spread_seconds == HOUR.total_seconds()
    clock.forward(hours=1)
    assert journal.charts(filters).spread_seconds == DAY.total_seconds()
    assert [each.answers for each in journal.stats(filters)] == [2]


@pytest.mark.parametrize(
    ("first", "end", "seconds"),
    [(2, 3, DAY), (2, 5, DAY), (2, None, DAY), (8, 12, DAY), (9, 11, DAY), (10, 12, HOUR)],
)
def test_of_old_days_days_are_counted(
    journal: Journal,
    journal_database: Database,
    clock: FakeClock,
    first: int,
    end: int | None,
    seconds: timedelta,
) -> None:
    """However short a time is: of days whose hours are gone, the charts tell what the days do."""
    made = [record(at=at(START + number * 6 * HOUR), caller="ann") for number in range(160)]
    add(journal_database, made)
    clock.forward(days=40)
    assert journal.sweep(days=30) == 42
    filters = Filters(since=START + first * DAY, until=None if end is None else START + end * DAY)
    shown = journal.charts(filters)
    its = sum(meets(each, filters) for each in made)
    assert sum(point.answers for point in shown.timeline.points) == its
    assert sum(bar.answers for bar in shown.spread) == its
    assert [each.answers for each in journal.stats(filters)] == [its]
    assert shown.spread_seconds == seconds.total_seconds()
    kept = replace(filters, caller="ann")
    assert journal.charts(kept).timeline.seconds <= shown.timeline.seconds


def test_steps_at_the_ends_are_whole(journal: Journal, some: list[Record]) -> None:
    """A time that begins or ends within a step has the whole of it."""
    since, until = START + timedelta(seconds=90), START + timedelta(seconds=200)
    widened = Filters(since=START + timedelta(minutes=1), until=START + timedelta(minutes=4))
    shown = sum(
        p.answers for p in journal.charts(Filters(since=since, until=until)).timeline.points
    )
    assert shown == sum(meets(each, widened) for each in some)


def test_the_spread_of_numbers(journal: Journal, some: list[Record]) -> None:
    """Each bar tells how many answers lie in it."""
    made = journal.charts(Filters(contract="madcompany")).spread
    answers = [int(each.output) for each in some if each.contract == "madcompany"]
    assert sum(bar.answers for bar in made) == len(answers)
    for bar in made:
        assert bar.low is not None
        assert bar.high is not None
        assert bar.answers == sum(bar.low <= answer < bar.high for answer in answers)


def test_the_spread_of_an_object(journal: Journal, some: list[Record]) -> None:
    """Each member of an output has a spread of its own: numbers in bars, words by their number."""
    outputs = [json.loads(each.output) for each in some if each.contract == "delivery-time"]
    chosen = Filters(contract="delivery-time", since=START)
    assert sum(bar.answers for bar in journal.charts(chosen, name="days").spread) == len(outputs)
    words = [(bar.word, bar.answers) for bar in journal.charts(chosen, name="carrier").spread]
    assert words == Counter(output["carrier"] for output in outputs).most_common()
    assert not journal.charts(chosen, name="unknown").spread


@pytest.mark.parametrize(
    "filters",
    [
        Filters(since=START, caller="ann"),
        Filters(since=START, caller="ann", contract="madcompany", release="7"),
        Filters(since=START + timedelta(minutes=5), caller="cleo"),
        Filters(caller="ann", release="stand-in"),
        Filters(caller="nobody"),
    ],
)
def test_one_callers_charts(
    journal: Journal, some: list[Record], clock: FakeClock, filters: Filters
) -> None:
    """A caller's charts tell of that caller's answers, and of no other's."""
    clock.forward(hours=-8)
    mine = [each for each in some if meets(each, filters)]
    timeline = journal.charts(filters).timeline
    shown = {(p.start, f"{p.contract} {p.release}"): p.answers for p in timeline.points}
    assert shown == counted(some, filters, timeline.seconds)
    assert timeline.whole
    numbers = journal.charts(filters).spread
    assert sum(bar.answers for bar in numbers) == sum(each.output.isdigit() for each in mine)
    words = [(bar.word, bar.answers) for bar in journal.charts(filters, name="carrier").spread]
    carriers = [json.loads(each.output)["carrier"] for each in mine if each.output[:1] == b"{"]
    assert dict(words) == Counter(carriers)


def test_of_a_busy_caller_the_newest_count(
    journal: Journal, some: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a caller with very many answers the newest are counted, and it is said."""
    monkeypatch.setattr(caller_charts, "ROWS", 20)
    assert sum(each.caller == "ann" for each in some) > 20
    timeline = journal.charts(Filters(caller="ann")).timeline
    assert (sum(p.answers for p in timeline.points), timeline.whole) == (20, False)


def test_releases(journal: Journal, some: list[Record]) -> None:
    """Every release that has answered is listed, with its contract."""
    assert set(journal.releases()) == {(each.contract, each.release) for each in some}


def test_the_spread_of_truth(journal: Journal, journal_database: Database) -> None:
    """True and false are words of a chart."""
    answers = [b"true", b"true", b"false"]
    moments = range(at(START), at(START) + 3)
    add(
        journal_database,
        [record(output=output, at=when) for output, when in zip(answers, moments, strict=True)],
    )
    assert [(bar.word, bar.answers) for bar in journal.charts().spread] == [
        ("true", 2),
        ("false", 1),
    ]


def test_of_many_words_the_most_frequent_are_read(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many texts were answers, a chart reads those that it shows: of equals, the first.

    The others are counted, so that no answer is left out.
    """
    texts = [
        "ärger",
        "Zorn",
        "a b",
        "ab",
        "_",
        "😀",
        *(f"text {number:03}" for number in range(90)),
    ]
    made = [*texts, "text 077", "text 005", "text 077"]
    answers = [json.dumps(text, ensure_ascii=False).encode() for text in made]
    moments = range(at(START), at(START) + len(made))
    add(
        journal_database,
        [record(output=output, at=when) for output, when in zip(answers, moments, strict=True)],
    )
    read: list[int] = []

    def spy(
        numbers: Mapping[int, int], words: Mapping[str, int], others: tuple[int, int]
    ) -> list[Bar]:
        read.append(len(words))
        return drawn(numbers, words, others)

    monkeypatch.setattr(charts, "drawn", spy)
    *bars, others = journal.charts().spread
    shown = [(bar.word, bar.answers) for bar in bars]
    assert read == [BARS]
    counts = Counter(made)
    ranked = sorted(counts, key=lambda text: (-counts[text], text))
    assert shown == [(text, counts[text]) for text in ranked[:BARS]]
    rest = ranked[BARS:]
    assert others == Bar(others=len(rest), answers=sum(counts[text] for text in rest))


def test_stats(journal: Journal, some: list[Record]) -> None:
    """Each release has its number of answers, and how long they took, right to 3%."""
    found = {(each.contract, each.release): each for each in journal.stats()}
    assert set(found) == {(each.contract, each.release) for each in some}
    for (contract, release), each in found.items():
        durations = sorted(r.micros for r in some if (r.contract, r.release) == (contract, release))
        assert each.answers == len(durations)
        exact = durations[-(-len(durations) // 2) - 1]
        assert exact <= each.median_micros <= exact * 1.04 + 1
        assert each.median_micros <= each.p99_micros <= durations[-1] * 1.04 + 1
    assert {each.contract for each in journal.stats(Filters(release="7"))} == {"madcompany"}


def test_an_answer_is_in_the_charts_at_once(journal: Journal, journal_database: Database) -> None:
    """What is in the journal is in its charts: they are never older than the page beside them."""
    one = record()
    add(journal_database, [one])
    assert journal.stats()[0].answers == len(journal.page()) == 1


def test_no_time_is_compared_as_a_fraction(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """What charts count by is whole, so that both databases find it by their index.

    PostgreSQL looked at every count there is for a time that might have been half a second.
    """
    asked: list[object] = []

    def note(_connection: object, _cursor: object, _statement: str, given: Any, *_: object) -> None:
        asked.extend(given.values() if isinstance(given, dict) else given)

    event.listen(journal_database.engine, "before_cursor_execute", note)
    half = timedelta(microseconds=500_000)
    for since in (START, START - DAY, START - 30 * DAY):
        filters = Filters(since=since + half, until=START + DAY + half)
        journal.charts(filters)
        journal.stats(filters)
    assert some
    assert len(asked) > 20
    assert [each for each in asked if isinstance(each, float)] == []
