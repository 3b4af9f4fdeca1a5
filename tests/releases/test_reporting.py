"""Reporting: counted on the event loop, handed over in a thread, and a bad canary sent back."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from tests.predicting.slots import release, routing, row

from stopgap.contracts.madcompany import contract
from stopgap.releases.comparing import Comparison
from stopgap.releases.judging import Verdict
from stopgap.releases.release import Release
from stopgap.releases.reporting import Reporter
from stopgap.releases.tally import Tally
from stopgap.releases.trouble import Troubles
from stopgap.storage.database_faults import DatabaseUnreachable


class Sink:
    """Keeps what is handed over, and has a verdict."""

    def __init__(self, verdict: Verdict | None = None) -> None:
        self.verdict = verdict
        self.away = False
        self.tallies: list[tuple[str, Tally]] = []
        self.compared: list[tuple[int, int, Comparison]] = []
        self.judged: list[str] = []
        self.troubled: list[tuple[str, Troubles]] = []
        self.known: list[tuple[str, Troubles]] = []  # when it was judged
        self.sent_back: list[tuple[str, int, str]] = []

    def tally(self, worker: str, tallies: Collection[Tally]) -> None:
        """Keep tallies."""
        if self.away:
            raise DatabaseUnreachable("database", "it is away")
        self.tallies += [(worker, each) for each in tallies]

    def compare(
        self, _contract: str, number: int, against: int, _worker: str, comparison: Comparison
    ) -> None:
        """Keep a comparison."""
        self.compared.append((number, against, comparison))

    def trouble(self, worker: str, troubles: Troubles) -> None:
        """Keep what cannot be asked."""
        self.troubled.append((worker, troubles))

    def judge(self, name: str) -> Verdict | None:
        """Tell the verdict."""
        self.judged.append(name)
        self.known = list(self.troubled)
        return self.verdict

    def send_back(self, name: str, number: int, reason: str, figures: Mapping[str, float]) -> bool:
        """Keep who was sent back."""
        assert figures == {"failures": 4}
        self.sent_back.append((name, number, reason))
        return True


def test_outcomes_are_handed_over_once() -> None:
    """What was counted since the last time, and nothing where nothing was."""
    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    counter = reporter.counter("madcompany", 7)
    counter.add("ok", 900)
    counter.add("late", 1_000_000)
    assert reporter.counter("madcompany", 7) is counter
    reporter.take({})()
    reporter.take({})()
    ((worker, tally),) = sink.tallies
    assert (worker, tally.contract, tally.number) == ("one", "madcompany", 7)
    assert tally.outcomes == {"ok": 1, "late": 1}


def test_what_nobody_takes_is_lost() -> None:
    """What cannot be handed over does not pile up."""
    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    reporter.counter("madcompany", 7).add("ok", 900)
    sink.away = True
    with pytest.raises(DatabaseUnreachable):
        reporter.take({})()
    sink.away = False
    reporter.take({})()
    assert sink.tallies == []


def test_comparisons_add_up() -> None:
    """Each time all that was compared is handed over, if there is more than before."""
    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    compare = reporter.comparer(contract, 8)
    compare(row(1), 7, 3000, 3100)
    reporter.take({})()
    reporter.take({})()
    compare(row(2), 7, 3000, 3000)
    reporter.take({})()
    numbers = [spread.compared for *_, each in sink.compared for spread in each.spreads.values()]
    assert numbers == [1, 2]
    assert {(number, against) for number, against, _ in sink.compared} == {(8, 7)}


def test_each_giver_is_compared_with_by_itself() -> None:
    """What a canary, or who helped out, gave is held beside nobody else's answers."""
    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    compare = reporter.comparer(contract, 8)
    compare(row(1), 7, 3000, 3000)
    compare(row(2), 9, 3000, 5000)
    reporter.take({})()
    assert {against: each.agreement for _, against, each in sink.compared} == {7: 1.0, 9: 0.0}


def test_another_file_is_compared_anew() -> None:
    """Who gives the answers of another Python file is compared by those alone, on either side."""

    def of(number: int, file_hash: str) -> Release:
        made = release(number)
        assert made.specification
        return replace(made, specification=replace(made.specification, file_hash=file_hash))

    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    compare = reporter.comparer(contract, 8)
    live, shadow, mended = of(7, "1"), of(8, "1"), of(8, "2")
    reporter.follow(routing(live, shadows=(shadow,)))
    for giver in (7, 9):
        compare(row(1), giver, 3000, 5000)
    reporter.take({})()
    reporter.follow(routing(live))  # the mended one is still being loaded
    reporter.follow(routing(live, shadows=(mended,)))
    reporter.take({})()
    compare(row(1), 7, 3000, 3000)
    reporter.take({})()
    reporter.follow(routing(of(7, "2"), shadows=(mended,)))
    reporter.take({})()
    told = [(against, each.compared) for _, against, each in sink.compared]
    assert (sorted(told[:2]), sorted(told[2:4])) == ([(7, 1), (9, 1)], [(7, 0), (9, 0)])
    assert told[4:] == [(7, 1), (7, 0)]


BACK = Verdict(action="back", reason="it fails", figures={"failures": 4})
KEEP = Verdict(action="keep", reason="all is well", figures={})


@pytest.mark.parametrize("verdict", [BACK, KEEP, None])
def test_a_canary_is_judged(verdict: Verdict | None) -> None:
    """Who is found bad is sent back, with the reason; others stay."""
    sink = Sink(verdict)
    reporter = Reporter(sink, sink.send_back, "one")
    reporter.follow(routing(release(7), canary=release(8, "canary", percent=10)))
    reporter.take({})()
    assert sink.judged == ["madcompany"]
    assert sink.sent_back == ([("madcompany", 8, "it fails")] if verdict is BACK else [])


def test_where_no_canary_is_nobody_is_judged() -> None:
    """A live release is judged by people."""
    sink = Sink(BACK)
    reporter = Reporter(sink, sink.send_back, "one")
    reporter.follow(routing(release(7)))
    reporter.take({})()
    assert sink.judged == []


def test_who_is_judged_is_the_canary_of_now() -> None:
    """Of the routings that a contract has had, only the last one's canary is judged."""
    verdict = Verdict(action="back", reason="it dies", figures={"failures": 4})
    sink = Sink(verdict)
    reporter = Reporter(sink, sink.send_back, "one")
    for canary in (None, release(8, "canary", percent=5), release(9, "canary", percent=5)):
        reporter.follow(routing(release(7), canary=canary))
    reporter.take({})()
    assert [number for _, number, _ in sink.sent_back] == [9]
    reporter.follow(routing(release(7)))
    reporter.take({})()
    assert len(sink.judged) == 1


def test_trouble_is_told_until_it_is_over() -> None:
    """Each time while there is some, so that it stays fresh; once that there is none any more."""
    sink = Sink()
    reporter = Reporter(sink, sink.send_back, "one")
    away = {("madcompany", 7): "it died"}
    for troubles in ({}, away, away, {}, {}):
        reporter.take(troubles)()
    assert sink.troubled == [("one", away), ("one", away), ("one", {})]


def test_trouble_is_told_before_a_canary_is_judged() -> None:
    """Why it cannot be asked is then known to who sends it back."""
    sink = Sink(BACK)
    reporter = Reporter(sink, sink.send_back, "one")
    reporter.follow(routing(release(7), canary=release(8, "canary", percent=10)))
    away = {("madcompany", 8): "it died"}
    reporter.take(away)()
    assert sink.known == [("one", away)]
