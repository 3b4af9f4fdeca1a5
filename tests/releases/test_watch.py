"""The watch: what workers count is added up over the right time, and judged."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from tests.contracts.promises import DELIVERY
from tests.fakes import FakeClock
from tests.releases.making import report, specification

from stopgap.releases.comparing import Comparison
from stopgap.releases.judging import DURATIONS_WINDOW
from stopgap.releases.releases import Releases
from stopgap.releases.stages import STEPS_BACK
from stopgap.releases.store import ComparisonRows
from stopgap.releases.tally import OUTCOMES, Tally, bin_start, duration_bin, read_durations
from stopgap.releases.trouble import TROUBLE_SECONDS, Trouble
from stopgap.releases.watch import Watch
from stopgap.storage.database import Database

NAME = DELIVERY.name
OK = {"ok": 10}


class Weeks(BaseModel):
    """What another contract of the name promises: the same values, in another range."""

    days: Annotated[float, Field(ge=0, le=1000)]
    carrier: Literal["north", "south"]


def tally(number: int, micros: int = 2_000, **outcomes: int) -> Tally:
    """Count so many of each outcome."""
    made = Tally(contract=NAME, number=number)
    for outcome, count in outcomes.items():
        for _ in range(count):
            made.add(outcome, micros)  # type: ignore[arg-type]
    return made


def compared() -> Comparison:
    """Compare one pair of answers."""
    made = Comparison(DELIVERY.output_kind)
    made.add(b'{"weight_kg":2.5}', *({"days": days, "carrier": "north"} for days in (2.0, 9.0)))
    return made


def canary(releases: Releases, *, beside: bool) -> int:
    """Make a canary, beside a real live release or the stand-in."""
    for last in (False, True) if beside else (True,):
        number = releases.add(NAME, specification(), "ann").number
        releases.keep_report(NAME, number, report(DELIVERY), "ann")
        stage = {"stage": "canary", "percent": 5.0} if last else {}
        releases.promote(NAME, number, "ann", **stage)  # type: ignore[arg-type]
    return number


@given(st.integers(0, 10**9))
def test_durations_are_known_to_a_tenth(micros: int) -> None:
    """A duration lies in its bin, which is a tenth of it wide."""
    number = duration_bin(micros)
    assert bin_start(number) <= max(micros, 1) * 1.000001
    assert max(micros, 1) < bin_start(number + 1) * 1.000001
    assert bin_start(number + 1) / bin_start(number) < 1.1


def test_counted_and_added_up(watch: Watch, clock: FakeClock) -> None:
    """Counts of several workers, written at several moments, are added up since a moment."""
    watch.tally("w1", [tally(1, ok=3, late=1), tally(2, ok=1)])
    clock.forward(seconds=5)
    for worker in ("w1", "w2"):
        watch.tally(worker, [tally(1, ok=2, breach=1)])
    watch.tally("w3", [])
    found = watch.tallies(NAME, clock.now() - timedelta(seconds=4))
    assert {number: dict(+each.outcomes) for number, each in found.items()} == {
        1: {"ok": 4, "breach": 2}
    }
    whole = watch.tallies(NAME, clock.now() - timedelta(seconds=5))
    assert (whole[1].requests, whole[1].failures, whole[2].requests) == (10, 3, 1)
    assert whole[1].durations == {duration_bin(2_000): 7}
    assert set(whole[1].outcomes) == set(OUTCOMES)


def test_written_durations() -> None:
    """Durations that went through JSON are the same."""
    made = tally(1, micros=900, ok=4)
    assert read_durations(made.written_durations()) == made.durations


def test_old_counts_are_swept(watch: Watch, clock: FakeClock) -> None:
    """What nobody looks at any more is deleted."""
    watch.tally("w1", [tally(1, ok=1)])
    clock.forward(minutes=61)
    watch.tally("w1", [tally(1, ok=1)])
    assert watch.sweep() == 1
    assert watch.sweep() == 0


def test_comparisons_of_workers_are_added_up(watch: Watch) -> None:
    """Each worker's own comparison stands in place of its last; all are added up."""
    given_, other = ({"days": days, "carrier": "north"} for days in (2.0, 9.0))
    for worker, times in (("w1", 1), ("w1", 3), ("w2", 2)):
        made = Comparison(DELIVERY.output_kind)
        for _ in range(times):
            made.add(b'{"weight_kg":2.5}', given_, other)
        watch.compare(NAME, 2, 1, worker, made)
    whole = watch.comparison(NAME, 2, 1)
    assert (whole.compared, whole.agreement) == (5, 0.0)
    assert whole.spreads["days"].total == 35.0
    assert watch.comparison(NAME, 1, 2).compared == 0
    assert list(watch.compared_with(NAME, 2)) == [1]


def test_comparisons_under_another_contract_are_left_out(
    watch: Watch, database: Database, clock: FakeClock
) -> None:
    """Shares of another range are no shares of this one; they count where that one is served."""
    wider = replace(DELIVERY, output=Weeks, examples=())
    made = Comparison(wider.output_kind)
    made.add(b"{}", *({"days": days, "carrier": "north"} for days in (2.0, 900.0)))
    another = Watch(database, clock, [wider])
    another.compare(NAME, 2, 1, "w1", made)
    assert list(watch.compared_with(NAME, 2)) == []
    watch.compare(NAME, 2, 1, "w2", compared())
    for each in watch, another:
        assert list(each.compared_with(NAME, 2)) == [1]
        assert each.comparison(NAME, 2, 1).compared == 1
    assert watch.comparison(NAME, 2, 1).largest == compared().largest


def test_comparisons_that_name_no_contract(watch: Watch, database: Database) -> None:
    """As long as none was written down with them, there they count."""
    with database.write() as connection:
        text = json.dumps(compared().document())
        ComparisonRows(connection, NAME).keep(2, 1, "w1", text)
    assert watch.comparison(NAME, 2, 1).compared == 1


def test_nothing_to_judge(releases: Releases, watch: Watch) -> None:
    """Without a canary there is no verdict; with one that nobody asked, it is kept."""
    assert watch.judge(NAME) is None
    canary(releases, beside=False)
    verdict = watch.judge(NAME)
    assert verdict is not None
    assert verdict.action == "keep"


def test_beside_the_stand_in_only_failures_count(
    releases: Releases, watch: Watch, clock: FakeClock
) -> None:
    """However slow beside the stand-in's microseconds, a canary that answers is kept."""
    number = canary(releases, beside=False)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, micros=900_000, ok=600), tally(0, micros=3, ok=600)])
    verdict = watch.judge(NAME)
    assert verdict is not None
    assert verdict.action == "keep"
    watch.tally("w2", [tally(number, late=4), tally(0, late=4)])
    one_in_a_hundred = watch.judge(NAME)
    assert one_in_a_hundred is not None
    assert one_in_a_hundred.action == "keep"
    clock.forward(seconds=11)
    watch.tally("w1", [tally(number, late=4)])
    found = watch.judge(NAME)
    assert found is not None
    assert (found.action, "4 late" in found.reason) == ("back", True)


def test_why_it_could_not_be_asked_goes_with_it(
    releases: Releases, watch: Watch, clock: FakeClock
) -> None:
    """Nobody tells why a canary cannot be asked once it is none: it is told with its going back."""
    number = canary(releases, beside=False)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, unavailable=5)])
    before = watch.judge(NAME)
    watch.trouble("w1", {(NAME, number): "It hung."})
    for worker in ("w2", "w3"):
        watch.trouble(worker, {(NAME, number): "No module\nnamed " + "x" * 5_000})
    watch.trouble("w4", {(NAME, number + 1): "another's"})
    after = watch.judge(NAME)
    assert before is not None
    assert after is not None
    assert before.reason.endswith("(5 unavailable); 1.0% may.")
    told = after.reason.removeprefix(before.reason)
    assert told.startswith(" It cannot answer in 2 workers: No module named xxx")
    assert len(told) < 450
    clock.forward(seconds=TROUBLE_SECONDS + 1)
    watch.tally("w1", [tally(number, unavailable=5)])
    later = watch.judge(NAME)
    assert later is not None
    assert later.reason == before.reason


def test_what_was_before_does_not_count(releases: Releases, watch: Watch, clock: FakeClock) -> None:
    """A canary that comes again is judged by what it does now, and a new share is no new start."""
    number = canary(releases, beside=False)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, died=20)])
    releases.send_back(NAME, number, "it dies")
    clock.forward(seconds=1)
    releases.promote(NAME, number, "ann", stage="canary", percent=1)
    again = watch.judge(NAME)
    assert again is not None
    assert again.action == "keep"
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, died=20)])
    clock.forward(seconds=1)
    releases.promote(NAME, number, "ann", stage="canary", percent=2)
    found = watch.judge(NAME)
    assert found is not None
    assert found.action == "back"


def test_a_clock_that_was_set_back(releases: Releases, watch: Watch, clock: FakeClock) -> None:
    """A canary that fails is seen to, though by the clock it is none yet."""
    number = canary(releases, beside=False)
    clock.forward(minutes=-30)
    watch.tally("w1", [tally(number, died=20)])
    found = watch.judge(NAME)
    assert found is not None
    assert found.action == "back"


def test_a_clock_that_was_ahead(releases: Releases, watch: Watch, clock: FakeClock) -> None:
    """What was counted in a time that has not come yet says nothing about now."""
    number = canary(releases, beside=False)
    clock.forward(hours=1)
    watch.tally("w1", [tally(number, died=20)])
    clock.forward(hours=-1, seconds=1)
    watch.tally("w1", [tally(number, ok=200)])
    found = watch.judge(NAME)
    assert found is not None
    assert found.action == "keep"
    counted = watch.tallies(NAME, clock.now() - timedelta(minutes=5))[number].outcomes
    assert (counted["ok"], counted["died"]) == (200, 0)


def test_beside_a_real_release_durations_count(
    releases: Releases, watch: Watch, clock: FakeClock
) -> None:
    """A canary that takes many times as long as the real live release goes back."""
    number = canary(releases, beside=True)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, micros=90_000, ok=300), tally(1, micros=9_000, ok=300)])
    found = watch.judge(NAME)
    assert found is not None
    assert (found.action, "slowest tenth" in found.reason) == ("back", True)


def test_how_slow_it_was_as_a_shadow_does_not_count(
    releases: Releases, watch: Watch, clock: FakeClock
) -> None:
    """A shadow in the background is slow for that; as a canary it is judged by what it does now."""
    number = canary(releases, beside=True)
    releases.withdraw(NAME, number, "ann")
    releases.promote(NAME, number, "ann", stage="shadow")
    watch.tally("w1", [tally(number, micros=90_000, ok=300), tally(1, micros=9_000, ok=300)])
    clock.forward(seconds=1)
    releases.promote(NAME, number, "ann", stage="canary", percent=5)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, micros=9_000, ok=20)])
    found = watch.judge(NAME)
    assert found is not None
    assert found.action == "keep"


def test_what_a_shadow_did_is_handed_in_later(
    releases: Releases, watch: Watch, clock: FakeClock
) -> None:
    """Workers tell what it did as a shadow once it is a canary; that counts no more than before."""
    number = canary(releases, beside=False)
    releases.withdraw(NAME, number, "ann")
    releases.promote(NAME, number, "ann", stage="shadow")
    clock.forward(seconds=60)
    releases.promote(NAME, number, "ann", stage="canary", percent=5)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, late=20)])
    first = watch.judge(NAME)
    assert first is not None
    assert first.action == "keep"
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, late=20)])
    found = watch.judge(NAME)
    assert found is not None
    assert (found.action, "20 of 20" in found.reason) == ("back", True)


def test_who_was_slow_in_the_past(releases: Releases, watch: Watch, clock: FakeClock) -> None:
    """Durations count for some minutes: a canary that was slow long ago is kept."""
    number = canary(releases, beside=True)
    clock.forward(seconds=1)
    watch.tally("w1", [tally(number, micros=90_000, ok=300), tally(1, micros=9_000, ok=300)])
    clock.forward(seconds=DURATIONS_WINDOW + 1)
    found = watch.judge(NAME)
    assert found is not None
    assert found.action == "keep"


def test_who_is_retired_leaves_no_comparison(releases: Releases, watch: Watch) -> None:
    """What a release was compared by, clients' inputs among it, goes when it is put away."""
    number = canary(releases, beside=True)
    watch.compare(NAME, number, 1, "w1", compared())
    releases.retire(NAME, number, "ann")
    assert list(watch.compared_with(NAME, number)) == []
    watch.compare(NAME, number, 1, "w1", compared())  # by a worker that has not learned of it
    assert list(watch.compared_with(NAME, number)) == []


def test_who_is_put_away_by_a_promotion_leaves_none(releases: Releases, watch: Watch) -> None:
    """What it was compared by is swept; of those that are kept ready it is kept."""
    for number in range(1, STEPS_BACK + 2):
        assert watch.sweep() == 0
        releases.add(NAME, specification(), "ann")
        releases.keep_report(NAME, number, report(DELIVERY), "ann")
        watch.compare(NAME, number, 0, "w1", compared())
        releases.promote(NAME, number, "ann")
    assert watch.sweep() == 1
    assert list(watch.compared_with(NAME, 1)) == []
    assert list(watch.compared_with(NAME, 2)) == [0]


@pytest.mark.parametrize("cure", ["verify", "override", "promote"])
def test_another_file_is_seen_anew(
    releases: Releases, watch: Watch, clock: FakeClock, cure: str
) -> None:
    """What the file of before did, or was compared by, is not counted to the one let through."""

    def verify(file_hash: str, *broken: str) -> None:
        loaded = {"kind": "python", "file_hash": file_hash}
        releases.keep_report(NAME, 2, replace(report(DELIVERY, *broken), loaded=loaded), "ann")

    def seen() -> tuple[object, ...]:
        counted = watch.tallies(NAME, clock.now() - timedelta(minutes=5))
        return [*watch.compared_with(NAME, 1)], [*watch.compared_with(NAME, 2)], {*counted}

    assert canary(releases, beside=True) == 2
    verify("1" * 64)
    for number, against in ((1, 2), (2, 1), (1, 0)):
        watch.compare(NAME, number, against, "w1", compared())
        watch.tally(f"w{against}", [tally(number, ok=1)])
        clock.forward(seconds=1)
    verify("1" * 64)
    verify("2" * 64, "latency")
    assert seen() == ([0, 2], [1], {1, 2})
    if cure == "promote":
        releases.withdraw(NAME, 2, "ann")
    if cure == "override":
        releases.override(NAME, 2, "latency", "ann", "it is quick enough")
    else:
        verify("2" * 64)
    if cure == "promote":
        assert seen() == ([0, 2], [1], {1, 2})
        releases.promote(NAME, 2, "ann")
    assert seen() == ([0], [], {1})


def test_a_file_for_the_next_contract_changes_nothing_yet(
    releases: Releases, watch: Watch, database: Database, clock: FakeClock
) -> None:
    """What passes for the next contract answers from the next start on: today's counts stay."""
    tomorrow = replace(DELIVERY, unit="days")
    known = Releases(database, clock, [tomorrow])
    assert canary(releases, beside=True) == 2
    for contract, its, file_hash in ((DELIVERY, releases, "1" * 64), (tomorrow, known, "2" * 64)):
        loaded = {"kind": "python", "file_hash": file_hash}
        its.keep_report(NAME, 2, replace(report(contract), loaded=loaded), "ann")
        if its is releases:
            watch.compare(NAME, 2, 1, "w1", compared())
            watch.tally("w1", [tally(2, ok=1)])
            clock.forward(seconds=1)
    assert list(watch.compared_with(NAME, 2)) == [1]
    assert 2 in watch.tallies(NAME, clock.now() - timedelta(minutes=5))


def test_a_worker_that_has_begun_anew(watch: Watch) -> None:
    """What it told before counts no more, though it has compared nothing since."""
    for worker in ("w1", "w2"):
        watch.compare(NAME, 2, 1, worker, compared())
    for worker, left in (("w1", [1]), ("w2", [])):
        watch.compare(NAME, 2, 1, worker, compared().anew())
        assert list(watch.compared_with(NAME, 2)) == left


def test_trouble_is_added_up_by_its_reason(watch: Watch) -> None:
    """Of each release and reason it is told in how many workers it is so, of one contract."""
    died, gone = "it died", "no file"
    watch.trouble("w1", {(NAME, 2): died, (NAME, 3): gone, ("another", 2): died})
    watch.trouble("w2", {(NAME, 2): died, (NAME, 3): "not whole"})
    found = [(each.number, each.reason, each.workers) for each in watch.troubles(NAME)]
    assert found == [(2, died, 2), (3, gone, 1), (3, "not whole", 1)]
    watch.trouble("w1", {(NAME, 3): gone})
    watch.trouble("w2", {})
    assert watch.troubles(NAME) == [Trouble(number=3, reason=gone, workers=1)]


def test_trouble_is_forgotten(watch: Watch, clock: FakeClock) -> None:
    """What a worker told that is no more counts for a moment; then it is swept."""
    watch.trouble("w1", {(NAME, 2): "it died"})
    clock.forward(seconds=TROUBLE_SECONDS - 1)
    assert watch.troubles(NAME) != []
    clock.forward(seconds=2)
    assert watch.troubles(NAME) == []
    assert watch.sweep() == 0
    clock.forward(seconds=3600)
    assert watch.sweep() == 1


def test_trouble_may_hold_anything(watch: Watch) -> None:
    """What a model says of its failure can be kept in every database, and is not endless."""
    watch.trouble("w1", {(NAME, 2): "\0\ud800" + "x" * 10_000})
    (trouble,) = watch.troubles(NAME)
    assert trouble.reason.startswith("\ufffd?x")
    assert len(trouble.reason) == 1_000


def test_trouble_in_words() -> None:
    """It says in how many workers."""
    for workers, words in (1, "1 worker"), (2, "2 workers"):
        told = Trouble(number=1, reason="it died", workers=workers).words()
        assert told == f"cannot answer in {words}: it died"
