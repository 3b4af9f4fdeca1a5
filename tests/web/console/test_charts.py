"""Charts: what is drawn, and what its table tells, is what was counted."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stopgap.journal.spread import BARS, Bar, bars, bin_of, drawn
from stopgap.journal.summary import Point, Timeline
from stopgap.releases.comparing import EDGES, Spread, rounded
from stopgap.web.console.charts import (
    COLUMNS_MAX,
    COLUMNS_MIN,
    HEIGHT,
    MINUS,
    Chart,
    differences,
    over_time,
    spread,
)

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def point(hours: float, answers: int, release: str = "stand-in", contract: str = "a") -> Point:
    """Make a count of some hours after the start."""
    return Point(start=START + hours * HOUR, contract=contract, release=release, answers=answers)


def numbers(chart: Chart) -> list[int]:
    """Read every count in a chart's table."""
    return [int(cell.replace(",", "")) for row in chart.rows for cell in row[1:]]


def rectangles(chart: Chart) -> list[dict[str, str]]:
    """Read a chart's picture, which has to be well-formed and without styles."""
    picture = ET.fromstring(chart.picture)
    assert not [each for each in picture.iter() if "style" in each.attrib]
    return [each.attrib for each in picture.iter("rect")]


@given(
    counts=st.lists(st.tuples(st.integers(0, 999), st.integers(1, 10**9)), min_size=1),
    hours=st.integers(1, 1000),
    seconds=st.sampled_from([60, 3600, 86_400]),
)
def test_every_answer_is_in_a_timeline(
    counts: list[tuple[int, int]], hours: int, seconds: int
) -> None:
    """Whatever its steps, a chart and its table have all answers, and not too many columns."""
    points = [point(at, answers, release=str(at % 3)) for at, answers in sorted(counts)]
    timeline = Timeline(seconds=seconds, points=points)
    chart = over_time(timeline, START, START + hours * HOUR)
    assert sum(numbers(chart)) == sum(answers for _, answers in counts)
    assert len(chart.rows) <= COLUMNS_MAX
    assert len(chart.series) in {0, 2, 3}
    for each in rectangles(chart):
        assert float(each["y"]) + float(each["height"]) <= HEIGHT + 0.2


def test_a_timeline() -> None:
    """A column lies where its time is, as high as its answers; each release has its colour."""
    points = [point(0, 30), point(1, 10), point(1, 5, "7")]
    chart = over_time(Timeline(seconds=3600, points=points), START, START + 4 * HOUR)
    assert [(each["x"], each["height"]) for each in rectangles(chart)] == [
        ("0", "100"),
        ("10", "16.7"),
        ("10", "32.3"),  # and a slit below it
    ]
    assert "<title>01 Jan 01:00: 15; release 7 5; stand-in 10</title>" in chart.picture
    assert chart.series == [("series-1", "release 7"), ("series-2", "stand-in")]
    assert chart.rows == [["01 Jan 00:00", "0", "30"], ["01 Jan 01:00", "5", "10"]]
    assert chart.ticks == ["01 Jan 00:00", "01 Jan 02:00", "01 Jan 04:00"]
    day = over_time(Timeline(seconds=86_400, points=points), START, START + HOUR)
    assert day.ticks == ["01 Jan 2030", "02 Jan 2030"]
    assert (chart.most, chart.summary.startswith("45 answers, in steps of 1 hour")) == (30, True)


def test_a_timeline_that_has_just_begun() -> None:
    """It reaches back some columns before the first answer, but not out of the time asked for."""
    timeline = Timeline(seconds=3600, points=[point(0, 1)])
    new = over_time(timeline, None, START + HOUR)
    assert [each["x"] for each in rectangles(new)] == [str(10 * (COLUMNS_MIN - 1))]
    assert new.ticks == ["31 Dec 13:00", "31 Dec 19:00", "01 Jan 01:00"]
    asked = over_time(timeline, START - HOUR, START + HOUR)
    assert asked.ticks == ["31 Dec 23:00", "01 Jan 00:00", "01 Jan 01:00"]


def test_what_is_small_is_still_to_be_seen() -> None:
    """However few answers a release has given in the highest column, its part lies within."""
    points = [point(0, 100_000, "1"), point(0, 1, "2"), point(0, 1)]
    chart = over_time(Timeline(seconds=60, points=points), START, START + HOUR)
    found = [(float(each["y"]), float(each["height"])) for each in rectangles(chart)]
    assert found == [(4.0, 96.0), (2.0, 1.0), (0.0, 1.0)]


def test_more_releases_than_colours() -> None:
    """The largest have colours of their own, the others one together; the table has them all."""
    points = [point(0, 10 * each, str(each)) for each in range(1, 7)]
    chart = over_time(Timeline(seconds=60, points=points), START, START + HOUR)
    assert [name for _, name in chart.series] == ["release 4", "release 5", "release 6", "others"]
    colours = [each["class"] for each in rectangles(chart)]
    assert colours == [each for each, _ in chart.series] == sorted(set(colours))
    assert "; release 6 60; others 60</title>" in chart.picture
    assert numbers(chart) == [10, 20, 30, 40, 50, 60]


def test_nobody_is_told_that_the_stand_in_is_a_model() -> None:
    """The stand-in is called what it is, one series needs no legend, contracts are told apart."""
    one = over_time(Timeline(seconds=60, points=[point(0, 1)]), START, START + HOUR)
    assert (one.series, one.head) == ([], ["From (UTC)", "stand-in"])
    points = [point(0, 1), point(0, 1, "7", "b")]
    two = over_time(Timeline(seconds=60, points=points), START, START + HOUR)
    assert [name for _, name in two.series] == ["a, stand-in", "b, release 7"]


def test_nothing_to_draw() -> None:
    """Without answers there is no picture, and a sentence says so."""
    for chart in (over_time(Timeline(seconds=60, points=[]), START, START), spread([])):
        assert (chart.empty, chart.picture, chart.most) == (True, "", 0)


@given(st.lists(st.floats(-1e9, 1e9) | st.integers(0, 5000), min_size=1))
def test_every_answer_is_in_a_spread(values: list[float]) -> None:
    """Whatever the numbers, a spread and its table have all of them, in their order."""
    counts: dict[int, int] = {}
    for value in values:
        counts[bin_of(value)] = counts.get(bin_of(value), 0) + 1
    chart = spread(bars(counts, most=40))
    assert sum(numbers(chart)) == len(values)
    xs = [float(each["x"]) for each in rectangles(chart)]
    assert xs == sorted(set(xs))


def test_a_spread_of_numbers() -> None:
    """Empty places among the bars are left empty, so that the picture is to scale."""
    made = [
        Bar(low=2000.0, high=2064.0, answers=4),
        Bar(low=2128.0, high=2192.0, answers=1),
    ]
    chart = spread(
        [Bar(low=2048.0, high=2112.0, answers=4), Bar(low=2176.0, high=2240.0, answers=1)]
    )
    assert [each["x"] for each in rectangles(chart)] == ["0", "20"]
    assert chart.ticks == ["2,048", "2,112", "2,240"]
    assert chart.rows == [["2,048 to 2,112", "4"], ["2,176 to 2,240", "1"]]
    assert spread(made[:1]).rows == [["2,000 to 2,064", "4"]]


def test_one_integer_and_what_lies_up_to_the_next() -> None:
    """A bar is called by one number only where no other can be in it, as of integers."""
    made = bars({bin_of(8.1): 1, bin_of(9.2): 2}, most=40)
    chart = spread(made, "days", (0.5, 14))
    assert chart.rows == [["8 to 9", "1"], ["9 to 10", "2"]]
    assert chart.summary == "3 answers; the most frequent: 9 to 10, 2 times."
    assert "<title>8 to 9: 1</title>" in chart.picture
    assert spread([Bar(low=3.0, high=4.0, answers=2)], whole=True).rows == [["3", "2"]]
    assert spread([Bar(low=2.0, high=4.0, answers=2)], whole=True).rows == [["2 to 4", "2"]]


def test_a_spread_ends_where_the_range_does() -> None:
    """No end of a bar looks like a number that was never promised, unless it was given."""
    bars = [Bar(low=1920.0, high=2048.0, answers=4), Bar(low=4992.0, high=5120.0, answers=1)]
    assert [spread(bars, "", ends).ticks[::2] for ends in ((2000, 5000), (2050, 4990))] == [
        ["2,000", "5,000"],
        ["1,920", "5,120"],
    ]


def test_a_spread_of_words() -> None:
    """Words stand below their columns while there is room; nothing in them is markup."""
    evil = '<script>&"'
    chart = spread([Bar(word=evil, answers=3), Bar(word="north", answers=1)])
    assert chart.ticks == [evil, "north"]
    assert chart.rows == [[evil, "3"], ["north", "1"]]
    assert "<script" not in chart.picture
    many = spread([Bar(word=str(number), answers=9 - number) for number in range(9)])
    assert (many.ticks, len(many.rows)) == ((), 9)


def test_a_spread_of_more_words_than_are_drawn() -> None:
    """The rarest stand together, at the end, as one column that is no answer of its own."""
    words = {f"word {number:03}": 1 + (number == 7) for number in range(100)}
    chart = spread(drawn({}, words))
    assert chart.summary == "101 answers; the most frequent: word 007, 2 times."
    assert (sum(numbers(chart)), chart.rows[-1]) == (101, ["60 others", "60"])
    assert (chart.ticks, chart.most) == ((), 60)
    assert "<title>60 others: 60</title>" in chart.picture
    words = dict(list(words.items())[: BARS + 1])
    assert spread(drawn({}, words)).rows[-1] == ["1 other", "1"]


@given(st.lists(st.floats(-3000, 3000), min_size=1))
def test_differences_of_numbers(apart: list[float]) -> None:
    """Every pair is in one column; those next to each other are next to each other's shares."""
    compared = Spread()
    for difference in apart:
        compared.add_number(difference, 3000)
    chart = differences(compared, "release 1", "release 2", 3000)
    assert sum(int(row[1].replace(",", "")) for row in chart.rows) == len(apart)
    assert chart.most == max(compared.bins.values())
    assert len(rectangles(chart)) == len(chart.rows) <= 2 * len(EDGES) - 1
    assert f"of {len(apart):,} answers are the same" in chart.summary
    assert "-" not in chart.summary + "".join(chart.ticks)  # a minus is longer than a hyphen


def test_where_differences_lie() -> None:
    """Less stands at the left, more at the right, and the same between them."""
    compared = Spread()
    for difference in (-2.0, 0.0, 0.0, 15.0):
        compared.add_number(difference, 3000)
    chart = differences(compared, "the stand-in", "release 2", 3000)
    assert chart.rows == [[f"up to {MINUS}0.1%", "1"], ["the same", "2"], ["+0.2% to +0.5%", "1"]]
    assert [each["x"] for each in rectangles(chart)] == ["20", "30", "60"]
    assert chart.ticks == [f"{MINUS}0.5%", "the same", "+0.5%"]
    assert chart.summary.startswith(
        "Release 2 less the stand-in, in % of the promised range; on average +3.25 (0.1%), "
        "and 4.25 (0.1%) apart."
    )
    assert differences(Spread(), "release 1", "release 2", 3000).empty


def test_large_differences() -> None:
    """Numbers of many digits are written whole, and never with an exponent."""
    compared = Spread()
    compared.add_number(-12_345.6, 1_000_000)
    chart = differences(compared, "release 1", "release 2", 1_000_000)
    assert f"on average {MINUS}12,346 (1.2%), and 12,346 (1.2%) apart." in chart.summary
    assert [rounded(each) for each in (999.96, 1000.4, 1e300)] == ["1000", "1,000", "1e+300"]


def test_answers_that_are_all_the_same() -> None:
    """There is one column, which is called so."""
    compared = Spread()
    compared.add_number(0.0, 3000)
    chart = differences(compared, "release 1", "release 2", 3000)
    assert (chart.ticks, len(rectangles(chart))) == (["the same"], 1)


def test_differences_of_words() -> None:
    """Words are counted by which they were instead of which; nothing in them is markup."""
    compared = Spread()
    for one, two in (("north", "north"), ("north", "<i>"), ("north", "<i>")):
        compared.add_word(one, two)
    chart = differences(compared, "release 1", "release 2", 0)
    assert chart.head[0] == "release 1 -> release 2"
    assert chart.rows == [["the same", "1"], ["north -> <i>", "2"]]
    assert "<i>" not in chart.picture


def test_a_picture_is_small() -> None:
    """A year by the hour, of four releases, fits into a page of 100 KB several times."""
    points = [point(at, at, str(at % 4)) for at in range(1, 8760)]
    chart = over_time(Timeline(seconds=3600, points=points), START, START + 8760 * HOUR)
    assert len(chart.picture) < 40_000
    assert re.search(r"style=|on\w+=", chart.picture) is None
