"""The tables say what was measured, and nothing else."""

import pytest
from bench.contestants import BARE_ASGI, FASTAPI, SIGNED_IN, STOPGAP
from bench.load import Round
from bench.table import STAND_IN, Figures, figures, tables

BROKEN = Round(rate=99_999, p50=0, p99=0, fault="3 not answered with a success")


def rounds(*rates: float, p99: float = 2.0) -> list[Round]:
    """Make rounds."""
    return [Round(rate=rate, p50=1.0, p99=p99) for rate in rates]


def lines(text: str, name: str) -> list[list[str]]:
    """Find the lines of a table that begin with a name; their cells."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [line for line in cells if line[0] == name]


def test_medians() -> None:
    """One odd round moves nothing but the ends."""
    assert figures(rounds(10, 1000, 30)) == Figures(
        rate=30, lowest=10, highest=1000, p50=1.0, p99=2.0
    )


def test_faults_count_for_nothing() -> None:
    """A round with a fault is in no figure; with faults alone there is none."""
    assert figures([*rounds(30), BROKEN]) == figures(rounds(30))
    assert figures([BROKEN]) is None
    assert figures([]) is None


def test_ratios() -> None:
    """A rate stands beside the ceiling's and FastAPI's, at the same connections."""
    text = tables(
        {
            (BARE_ASGI, 32): rounds(40_000),
            (STOPGAP, 32): rounds(30_000, 32_000, 31_000),
            (FASTAPI, 32): rounds(8_000),
            (STOPGAP, 128): rounds(1_000),
        },
        {},
        STAND_IN,
    )
    assert lines(text, STOPGAP) == [
        [STOPGAP, "31,000", "30,000 to 32,000", "1.00", "2.00", "0.78", "3.88"],
        [STOPGAP, "1,000", "1,000 to 1,000", "1.00", "2.00", "", ""],
    ]
    assert "### 32 connections" in text
    assert "### 1 connection\n" in tables({(STOPGAP, 1): rounds(1)}, {}, STAND_IN)


def test_dropped_rounds_are_told() -> None:
    """Who reads the table sees that rounds were dropped, and why where none is left."""
    text = tables({(STOPGAP, 1): [*rounds(5), BROKEN], (FASTAPI, 1): [BROKEN]}, {}, STAND_IN)
    assert lines(text, f"{STOPGAP} (1 of 2 rounds dropped)")
    assert lines(text, f"{FASTAPI} (1 of 1 rounds dropped)")[0][1] == BROKEN.fault


def test_the_missing_are_told() -> None:
    """A server without figures stands in the table, with the reason, and none of its rounds."""
    text = tables(
        {(STOPGAP, 1): rounds(5), ("MLflow", 1): rounds(7)}, {"MLflow": "a | b"}, STAND_IN
    )
    assert "| MLflow | a \\| b |" in text
    assert len(lines(text, "MLflow")) == 1


def test_the_missing_keep_no_promise() -> None:
    """Of a server that fell out midway, what is left of its figures is held against nothing."""
    measured = {(STOPGAP, 32): rounds(30_000), (FASTAPI, 32): rounds(1_000)}
    assert "promised" in tables(measured, {}, STAND_IN)
    assert "promised" not in tables(measured, {FASTAPI: "does not stop"}, STAND_IN)


@pytest.mark.parametrize(
    ("rate", "p99", "signed_in", "kept"),
    [
        (30_400, 4.0, 27_700, ["yes", "yes", "yes", "yes"]),
        (29_000, 4.1, 26_000, ["**no**", "**no**", "**no**", "**no**"]),
    ],
)
def test_promises(rate: float, p99: float, signed_in: float, kept: list[str]) -> None:
    """A promise is held against what was measured, exactly."""
    measured = {
        (BARE_ASGI, 32): rounds(40_000),
        (FASTAPI, 32): rounds(8_000),
        (STOPGAP, 32): rounds(rate, p99=p99),
        (SIGNED_IN, 32): rounds(signed_in),
    }
    told = tables(measured, {}, STAND_IN).partition("### What was promised")[2].splitlines()
    assert [line.strip("| ").split("|")[-1].strip() for line in told if "| 32 |" in line] == kept


def test_promises_that_were_not_measured() -> None:
    """Nothing is said of a server that took no part."""
    assert "promised" not in tables({(STOPGAP, 32): rounds(5)}, {}, STAND_IN)
