"""Charts: counts in, columns out, as SVG that needs no script and no style of its own.

A chart's picture is stretched to the room that it has, so it holds columns alone; its words stand
around it as text, and all of its numbers in a table for those who cannot see it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from stopgap.journal.spread import Bar
from stopgap.journal.summary import Point, Timeline
from stopgap.releases.comparing import EDGES, Spread, rounded

COLUMNS_MAX = 60
"""Columns of a chart: narrower ones could not be told apart on a telephone."""

COLUMNS_MIN = 12
"""Of a chart over time, as far as its time reaches: fewer would be blocks that say nothing."""

COLOURS = 4
"""Series have one of so many classes, `series-1` and so on; of more, the smallest share one."""

WORDS_MAX = 6
"""Words that have room below their columns, if cut; more of them are in the table alone."""

HEIGHT = 100
WIDTH = 10  # of a column, of which the gap takes
GAP = 1.5
SLIT = 1.0  # between the parts of a column

DAY = 86_400
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart as a page shows it."""

    picture: Markup  # columns, or nothing where there is nothing to count
    summary: str  # what it shows, in a sentence
    most: int  # answers of the highest column
    ticks: Sequence[str] = ()  # below the columns, evenly apart
    words: bool = False  # whether each column has its own tick, which may be long
    series: Sequence[tuple[str, str]] = ()  # class and name of each, where there are several
    head: Sequence[str] = ()  # of the table
    rows: Sequence[Sequence[str]] = field(default=(), repr=False)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.rows


def over_time(timeline: Timeline, since: datetime | None, until: datetime) -> Chart:
    """Draw answers over time, a column a step, by release, from the first one on.

    Args:
        timeline: What has been counted.
        since: Where that began; None: with the first answer ever.
        until: Where the last column ends.
    """
    if not timeline.points:
        return _nothing()
    few = until - timedelta(seconds=COLUMNS_MIN * timeline.seconds)
    first = min(timeline.points[0].start, max(since or few, few))
    step, start, columns = _steps(timeline.seconds, first, until)
    names = _names(timeline.points)
    counts: list[Counter[str]] = [Counter() for _ in range(columns)]
    for point in timeline.points:
        place = int((point.start.timestamp() - start) // step)
        counts[min(max(place, 0), columns - 1)][
            names[point.contract, point.release]
        ] += point.answers
    series = sorted(set(names.values()))
    drawn, colours = _few(counts, series)
    moments = [datetime.fromtimestamp(start + step * place, UTC) for place in range(columns + 1)]
    words = [_moment(moment, step) for moment in moments]
    total = sum(sum(each.values()) for each in counts)
    return Chart(
        picture=_columns(drawn, colours, words),
        summary=f"{total:,} answers, in steps of {duration(step)}, from {words[0]} UTC on.",
        most=max(sum(each.values()) for each in counts),
        ticks=list(dict.fromkeys([words[0], words[columns // 2], words[columns]])),
        series=_legend(colours),
        head=["From (UTC)", *series],
        rows=[
            [word, *(f"{count[name]:,}" for name in series)]
            for word, count in zip(words, counts, strict=False)
            if count
        ],
    )


def spread(
    bars: Sequence[Bar], unit: str = "", promised: Sequence[float] = (), *, whole: bool = False
) -> Chart:
    """Draw how answers are spread: numbers in their order, words by how often they were given.

    Args:
        bars: What has been counted.
        unit: Of the numbers.
        promised: The range's two ends, which are told instead of those of bars that go beyond.
        whole: Numbers are integers: a bar that is 1 wide has one of them, and is called so.
    """
    numbers = [bar for bar in bars if bar.low is not None and bar.high is not None]
    words = [bar for bar in bars if bar.word is not None or bar.others]
    if not bars:
        return _nothing()
    chosen = _all_places(numbers) if len(numbers) >= len(words) else words
    labels = [_range(bar, whole=whole) for bar in chosen]
    counts = [Counter({"": bar.answers}) for bar in chosen]
    total = sum(bar.answers for bar in chosen)
    first, last = chosen[0], chosen[-1]
    ends = [
        _number(_cut(first, promised[:1], first.low)),
        _middle(chosen),
        _number(_cut(last, promised[1:], last.high)),
    ]
    return Chart(
        picture=_columns(counts, [""], labels),
        summary=f"{total:,} answers; the most frequent: {_most_frequent(chosen, whole=whole)}.",
        most=max(bar.answers for bar in chosen),
        ticks=ends if chosen is not words else labels if len(labels) <= WORDS_MAX else (),
        words=chosen is words,
        head=[f"Answer ({unit})" if unit else "Answer", "Answers given"],
        rows=[[_range(bar, whole=whole), f"{bar.answers:,}"] for bar in chosen if bar.answers],
    )


def differences(compared: Spread, given: str, other: str, width: float) -> Chart:
    """Draw how far one release's answers are from another's, the same ones in the middle.

    Args:
        compared: Numbers by how far apart they are, or words by which they were.
        given: Whose answers are subtracted.
        other: From whose they are.
        width: Of the promised range.
    """
    if not compared.compared:
        return _nothing()
    if not compared.bins:
        return _differing_words(compared, given, other)
    mean, apart = compared.mean, compared.mean_absolute
    furthest = max(map(abs, compared.bins))
    places = range(-furthest, furthest + 1)
    counts = [Counter({"": compared.bins[place]}) for place in places]
    labels = [_apart(place) for place in places]
    end = _share(EDGES[furthest])
    return Chart(
        picture=_columns(counts, [""], labels),
        summary=(
            f"{other[:1].upper()}{other[1:]} less {given}, in % of the promised range; on average "
            f"{_mean(rounded(mean, '+'), mean, width)}, and {_mean(rounded(apart), apart, width)} "
            f"apart. {compared.same:,} of {compared.compared:,} answers are the same."
        ),
        most=max(count.total() for count in counts),
        ticks=[f"{MINUS}{end}", labels[furthest], f"+{end}"] if furthest else labels,
        head=["Difference", "Answers"],
        rows=[
            [label, f"{count.total():,}"]
            for label, count in zip(labels, counts, strict=True)
            if count.total()
        ],
    )


def _mean(words: str, mean: float, width: float) -> str:
    share = f" ({abs(mean) / width:.1%})" if width else ""
    return words.replace("-", MINUS) + share


def _differing_words(compared: Spread, given: str, other: str) -> Chart:
    found = [("the same", compared.same), *compared.words.most_common()]
    shown = [(word, number) for word, number in found if number]
    return Chart(
        picture=_columns(
            [Counter({"": number}) for _, number in shown], [""], [word for word, _ in shown]
        ),
        summary=f"{compared.same:,} of {compared.compared:,} answers are the same.",
        most=max(number for _, number in shown),
        head=[f"{given} -> {other}", "Answers"],
        rows=[[word, f"{number:,}"] for word, number in shown],
    )


def _apart(place: int) -> str:
    """Name a bin of differences."""
    if not place:
        return "the same"
    sign = "+" if place > 0 else MINUS
    low, high = EDGES[abs(place) - 1], EDGES[abs(place)]
    end = f"{sign}{_share(high)}"
    return f"{sign}{_share(low)} to {end}" if low else f"up to {end}"


def _share(edge: float) -> str:
    return f"{100 * edge:g}%"


def _nothing() -> Chart:
    return Chart(picture=Markup(), summary="There is nothing to count yet.", most=0)


def _steps(seconds: int, first: datetime, until: datetime) -> tuple[int, int, int]:
    """Tell the width of a column in seconds, where the first begins, and how many there are."""
    start = int(first.timestamp() // seconds * seconds)
    number = max(1, -int(-(until.timestamp() - start) // seconds))
    together = -(-number // COLUMNS_MAX)
    return seconds * together, start, -(-number // together)


def _names(points: Sequence[Point]) -> dict[tuple[str, str], str]:
    """Name each release as people know it, with its contract where there are several."""
    contracts = {point.contract for point in points}
    found = {}
    for point in points:
        name = release_name(point.release)
        found[point.contract, point.release] = (
            name if len(contracts) == 1 else f"{point.contract}, {name}"
        )
    return found


def release_name(release: str) -> str:
    """Name a release: the stand-in is nothing else, others have a number."""
    return f"release {release}" if release.isdigit() else release


def _few(
    counts: Sequence[Counter[str]], series: Sequence[str]
) -> tuple[Sequence[Counter[str]], Sequence[str]]:
    """Leave each series a colour of its own; where there are too many, the largest ones."""
    if len(series) <= COLOURS:
        return counts, series
    largest = {name for name, _ in sum(counts, Counter[str]()).most_common(COLOURS - 1)}
    together: list[Counter[str]] = [Counter() for _ in counts]
    for count, drawn in zip(counts, together, strict=True):
        for name in count:
            drawn[name if name in largest else "others"] += count[name]
    return together, [*sorted(largest), "others"]


def _legend(series: Sequence[str]) -> list[tuple[str, str]]:
    named = [(_class(place), name) for place, name in enumerate(series)]
    return named if len(named) > 1 else []


def _class(place: int) -> str:
    return f"series-{place + 1}"


PICTURE = Markup(
    '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
    "{}</svg>"
)


def _columns(counts: Sequence[Counter[str]], series: Sequence[str], words: Sequence[str]) -> Markup:
    """Draw columns, each of the series one on the other; what is small is still to be seen."""
    highest = max(sum(each.values()) for each in counts) or 1
    drawn = Markup().join(
        _column(place, each, series, words[place], highest)
        for place, each in enumerate(counts)
        if each.total()
    )
    return PICTURE.format(WIDTH * len(counts), HEIGHT, drawn)


def _column(
    place: int, count: Counter[str], series: Sequence[str], word: str, highest: int
) -> Markup:
    heights = {
        number: max(2 * SLIT, HEIGHT * count[name] / highest)
        for number, name in enumerate(series)
        if count[name]
    }
    largest = max(heights, key=lambda number: heights[number])
    heights[largest] -= max(0.0, sum(heights.values()) - HEIGHT)  # what the small ones have more
    top = float(HEIGHT)
    parts = list[Markup]()
    for number, height in heights.items():
        parts.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                _class(number),
                _short(place * WIDTH),
                _short(top - height),
                WIDTH - GAP,
                _short(height - (SLIT if parts else 0)),  # above the part below
            )
        )
        top -= height
    told = f"{word}: {count.total():,}"
    if len(series) > 1:
        told += "".join(f"; {series[number]} {count[series[number]]:,}" for number in heights)
    return Markup("<g><title>{}</title>{}</g>").format(told, Markup().join(parts))


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _all_places(bars: Sequence[Bar]) -> list[Bar]:
    """Put the empty bars back between the others, which all have one width."""
    width = (bars[0].high or 0.0) - (bars[0].low or 0.0)
    if not width:
        return list(bars)
    known = {round((bar.low or 0.0) / width): bar for bar in bars}
    places = range(min(known), max(known) + 1)
    return [
        known.get(place) or Bar(low=place * width, high=(place + 1) * width, answers=0)
        for place in places
    ]


def _range(bar: Bar, *, whole: bool) -> str:
    if bar.others:
        return f"{bar.others:,} other{'s' if bar.others > 1 else ''}"
    if bar.low is None or bar.high is None:
        return str(bar.word)
    if whole and bar.high - bar.low == 1:
        return _number(bar.low)
    return f"{_number(bar.low)} to {_number(bar.high)}"


def _cut(bar: Bar, promised: Sequence[float], end: float | None) -> float | None:
    """Tell where a bar ends: with the promised range, where that ends within the bar."""
    if bar.low is None or bar.high is None:
        return end
    return next((each for each in promised if bar.low < each < bar.high), end)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if float(value).is_integer() else rounded(value)


def _middle(bars: Sequence[Bar]) -> str:
    return _number(bars[len(bars) // 2].low) if len(bars) > 2 else ""  # noqa: PLR2004  # two ends


def _most_frequent(bars: Sequence[Bar], *, whole: bool) -> str:
    most = max((bar for bar in bars if not bar.others), key=lambda bar: bar.answers)
    return f"{_range(most, whole=whole)}, {most.answers:,} times"


def _moment(moment: datetime, step: int) -> str:
    return moment.strftime("%d %b %Y" if step >= DAY else "%d %b %H:%M")


def duration(seconds: int) -> str:
    """Write a length of time in its largest whole unit; none is empty."""
    if not seconds:
        return ""
    for unit, name in ((DAY, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            number = seconds // unit
            return f"{number} {name}{'s' if number > 1 else ''}"
    return str(timedelta(seconds=seconds))
