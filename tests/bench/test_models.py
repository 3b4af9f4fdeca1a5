"""The measuring with a model: what is promised of it, and where it is written."""

from bench.load import Round
from bench.models import LAYOUT, MARKS
from bench.page import PAGE
from bench.table import tables


def measured(rate: float, p99: float) -> dict[tuple[str, int], list[Round]]:
    """Make figures: Stopgap as told, all others alike."""
    others = {each.other for each in LAYOUT.promises}
    rounds = {(name, 32): [Round(rate=1_000, p50=1, p99=10)] for name in others}
    return rounds | {("Stopgap", 32): [Round(rate=rate, p50=1, p99=p99)]}


def kept(rate: float, p99: float) -> list[str]:
    """Tell which promises are kept."""
    told = tables(measured(rate, p99), {}, LAYOUT).partition("### What was promised")[2]
    return [
        line.strip("| ").split("|")[-1].strip() for line in told.splitlines() if "| 32 |" in line
    ]


def test_promises() -> None:
    """Each of mosec's settings is beaten in rate and p99; the others five times over."""
    assert kept(5_000, 10) == ["yes"] * 9
    assert kept(4_999, 10.1) == [*["yes", "**no**"] * 3, *["**no**"] * 3]
    assert kept(999, 10)[0] == "**no**"


def test_the_page_has_its_marks() -> None:
    """docs/benchmarks.md has a place for these tables, apart from the others."""
    text = PAGE.read_text(encoding="utf-8")
    assert 0 < text.find(MARKS[0]) < text.find(MARKS[1])
    assert text.count("<!-- The end of what is written. -->") == 1
