"""The run goes around all servers, and writes only where it may."""

from pathlib import Path

import pytest
from bench.contestants import OURS, PEERS
from bench.load import Round
from bench.measuring import Plan, Results, taking_turns, turns
from bench.page import PAGE, write
from bench.run import MARKS, required

PLAN = Plan(
    contestants=OURS[:2],
    required=OURS[:2],
    connections=[1, 32],
    rounds=2,
    seconds=1,
    server_core=1,
    load_core=0,
)


def test_interleaved() -> None:
    """A round has every server at every number of connections, before the next begins."""
    first, second = (each.name for each in OURS[:2])
    one_round = [(1, first), (1, second), (32, first), (32, second)]
    assert [(number, connections, each.name) for number, connections, each in turns(PLAN)] == [
        (number, *each) for number in (1, 2) for each in one_round
    ]


@pytest.mark.parametrize("rounds", [4, 5])
def test_with_it_and_without(rounds: int) -> None:
    """What is measured is there in half of the rounds, and neither way is always the first."""
    there = list(taking_turns(rounds))
    assert there.count(True) == there.count(False) == rounds
    assert set(zip(there[::2], there[1::2], strict=True)) == {(False, True), (True, False)}


def test_whole_or_not() -> None:
    """A run is whole when each server has figures at each number of connections."""
    good = [Round(rate=1, p50=1, p99=1)]
    results = Results(rounds={(each.name, n): good for each in OURS[:2] for n in (1, 32)})
    assert results.has_all(OURS[:2], [1, 32])
    assert not results.has_all(OURS[:2], [1, 32, 128])
    results.rounds[OURS[0].name, 1] = [Round(rate=1, p50=1, p99=1, fault="1 not written")]
    assert not results.has_all(OURS[:2], [1, 32])
    assert not Results(missing={OURS[0].name: "why"}).has_all(OURS[:1], [])


def test_who_has_to_be_measured() -> None:
    """Other servers may be missing beside ours, but not who was asked for by name."""
    everybody = [*OURS, *PEERS]
    assert required(everybody, named=False) == list(OURS)
    assert required(PEERS[:1], named=True) == list(PEERS[:1])


def test_writes_between_the_marks(tmp_path: Path) -> None:
    """The rest of the page stays as it is, and a second run replaces the first."""
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n\n{MARKS[0]}\n{MARKS[1]}\n\nAfter.\n")
    write("first", MARKS, page)
    write("second", MARKS, page)
    assert page.read_text() == f"Before.\n\n{MARKS[0]}\n\nsecond\n\n{MARKS[1]}\n\nAfter.\n"


def test_the_page_has_its_marks() -> None:
    """docs/benchmarks.md has a place for the tables."""
    text = PAGE.read_text(encoding="utf-8")
    assert 0 < text.find(MARKS[0]) < text.find(MARKS[1])
