"""Releases: numbered without gaps, let through by the gate alone, and all of it on record."""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.promises import DELIVERY, LETTER
from tests.fakes import FakeClock
from tests.releases.making import report, specification

from stopgap.contracts.contract import Contract, Example
from stopgap.errors import StopgapError
from stopgap.models.failures import ModelUnloadable
from stopgap.models.loaded import file_hash
from stopgap.models.specification import Specification
from stopgap.releases.gate import (
    ReasonMissing,
    ReleaseUnverified,
    RuleFixed,
    RuleHeld,
    RuleUnknown,
)
from stopgap.releases.plan import SlotKey
from stopgap.releases.release import ContractNotServed, ReleaseNotFound, Stage, Sticky
from stopgap.releases.releases import SERVER, Releases
from stopgap.releases.stages import MoveNotAllowed, NothingBefore, StandingChanged
from stopgap.releases.verification.report import Report
from stopgap.storage.database import Database

NAME = DELIVERY.name


TOMORROW = Contract(
    name=NAME, version="2.0.0", path=LETTER.path, inputs=LETTER.inputs, output=LETTER.output
)
"""The contract of the first name, as it will be."""


def passed(releases: Releases, *broken: str, model: int = 1) -> int:
    """Add a release and keep a report on it; tell its number."""
    number = releases.add(NAME, specification(model), "ann").number
    releases.keep_report(NAME, number, report(DELIVERY, *broken), "ann")
    return number


def stages(releases: Releases) -> dict[int, str]:
    """Tell the stage of each release."""
    return {each.number: each.stage for each in releases.list(NAME)}


def test_the_stand_in_is_always_there(releases: Releases) -> None:
    """Release 0 exists without being added, is live while no other is, and needs no report."""
    (stand_in,) = releases.list(NAME)
    assert (stand_in.name, stand_in.stage, stand_in.specification) == ("stand-in", "live", None)
    assert releases.show(NAME, 0) == stand_in == releases.routing(NAME).live
    releases.promote(NAME, passed(releases), "ann")
    assert releases.show(NAME, 0).stage == "retired"
    releases.promote(NAME, 0, "ann")
    assert stages(releases) == {1: "retired", 0: "live"}


def test_numbers_are_of_each_contract(releases: Releases) -> None:
    """Each contract's releases are numbered from 1, and keep what was said of them."""
    for contract, number in ((NAME, 1), (NAME, 2), (LETTER.name, 1)):
        assert releases.add(contract, specification(number), "ann", "a note").number == number
    found = releases.show(NAME, 2)
    assert (found.specification, found.created_by, found.note) == (
        specification(2),
        "ann",
        "a note",
    )
    assert (found.stage, found.fingerprint) == ("candidate", DELIVERY.fingerprint)
    assert [each.number for each in releases.list(NAME)] == [2, 1, 0]


def test_numbers_have_no_gaps_under_concurrency(releases: Releases) -> None:
    """However many are added at once, each has a number of its own and none is left out."""
    with ThreadPoolExecutor(8) as pool:
        added = [pool.submit(releases.add, NAME, specification(), "ann") for _ in range(24)]
        assert sorted(each.result().number for each in added) == list(range(1, 25))


def test_a_contract_that_is_not_served(releases: Releases) -> None:
    """A contract that is not served is told, with those that are."""
    with pytest.raises(ContractNotServed, match="delivery-time, letter"):
        releases.list("nothing")


Call = Callable[[Releases], object]
CALLS: list[Call] = [
    lambda releases: releases.show(NAME, 1),
    lambda releases: releases.promote(NAME, 1, "ann"),
    lambda releases: releases.retire(NAME, 1, "ann"),
    lambda releases: releases.withdraw(NAME, 1, "ann"),
    lambda releases: releases.verification(NAME, 1).report,
    lambda releases: releases.keep_report(NAME, 0, report(DELIVERY), "ann"),
    lambda releases: releases.override(NAME, 0, "latency", "ann", "because"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_release_that_is_not_there(releases: Releases, call: Call) -> None:
    """Whatever is asked of a release that was never added, or of the stand-in as a model."""
    with pytest.raises(ReleaseNotFound):
        call(releases)


@pytest.mark.parametrize("stage", ["shadow", "canary", "live"])
def test_the_gate(releases: Releases, stage: str) -> None:
    """Unverified, broken, or verified for another contract: no traffic, not even copies of it."""
    percent = 5.0 if stage == "canary" else None

    def promote(number: int) -> None:
        releases.promote(NAME, number, "ann", stage=stage, percent=percent)  # type: ignore[arg-type]

    never = releases.add(NAME, specification(), "ann").number
    with pytest.raises(ReleaseUnverified, match="never verified"):
        promote(never)
    with pytest.raises(ReleaseUnverified, match="broke contract, latency"):
        promote(passed(releases, "latency", "contract"))
    changed = releases.add(NAME, specification(), "ann").number
    releases.keep_report(NAME, changed, report(LETTER), "ann")
    with pytest.raises(ReleaseUnverified, match="contract has changed"):
        promote(changed)
    assert set(stages(releases).values()) == {"candidate", "live"}
    promote(passed(releases))


def test_a_contract_that_is_about_to_change(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """Who verifies a release for the contract of tomorrow takes nothing from today's server."""
    changed = Releases(database, clock, [TOMORROW])
    number = passed(releases)
    releases.promote(NAME, number, "ann")
    assert changed.routing(NAME).live.fingerprint == DELIVERY.fingerprint
    with pytest.raises(ReleaseUnverified, match="contract has changed"):
        changed.promote(NAME, passed(releases), "ann")
    changed.keep_report(NAME, number, report(TOMORROW), "ann")
    for known, served in ((releases, DELIVERY), (changed, TOMORROW)):
        fingerprint = served.fingerprint
        assert known.routing(NAME).live.fingerprint == fingerprint
        assert known.show(NAME, number).fingerprint == fingerprint
        found = known.verification(NAME, number).report
        assert found is not None
        assert found.fingerprint == fingerprint


def test_what_fails_for_tomorrow_answers_nobody_then(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """A failed verification opens no contract to a release; nor to one that may be gone back to."""
    tomorrow = Releases(database, clock, [TOMORROW])
    before, now = passed(releases), passed(releases, model=2)
    for number in (before, now):
        releases.promote(NAME, number, "ann")
        tomorrow.keep_report(NAME, number, report(TOMORROW, "survives", "answers"), "ann")
    for known, served in ((releases, True), (tomorrow, False)):
        fingerprint = (DELIVERY if known is releases else TOMORROW).fingerprint
        routing = known.routing(NAME)
        assert (routing.live.number, routing.previous and routing.previous.number) == (now, before)
        for each in (routing.live, routing.previous):
            assert each
            assert (each.fingerprint == fingerprint) is served
    with pytest.raises(ReleaseUnverified, match="broke survives, answers"):
        tomorrow.rollback(NAME, "ann")


def test_what_fails_for_tomorrow_and_is_let_through(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """It answers as soon as every rule that it broke is overridden, or it passes."""
    tomorrow = Releases(database, clock, [TOMORROW])
    for cure in ("override", "verify"):
        number = passed(releases)
        releases.promote(NAME, number, "ann")
        tomorrow.keep_report(NAME, number, report(TOMORROW, "latency"), "ann")
        before = tomorrow.routing(NAME)
        assert before.live.fingerprint != TOMORROW.fingerprint
        if cure == "override":
            tomorrow.override(NAME, number, "latency", "ann", "it is quick enough")
        else:
            tomorrow.keep_report(NAME, number, report(TOMORROW), "ann")
        after = tomorrow.routing(NAME)
        assert after.live.fingerprint == TOMORROW.fingerprint
        assert after.version > before.version


def test_what_fails_the_next_time_goes_on(releases: Releases) -> None:
    """Who has passed for a contract and fails it later answers on, but gets no more traffic."""
    number, other = passed(releases, "latency"), passed(releases)
    releases.override(NAME, number, "latency", "ann", "it is quick enough")
    for each in (other, number):
        releases.promote(NAME, each, "ann")
        releases.keep_report(NAME, each, report(DELIVERY, "survives"), "ann")
    routing = releases.routing(NAME)
    assert routing.previous
    assert {each.fingerprint for each in (routing.live, routing.previous)} == {DELIVERY.fingerprint}
    with pytest.raises(ReleaseUnverified, match="broke survives"):
        releases.rollback(NAME, "ann")


STRICT = replace(
    DELIVERY,
    examples=[Example(inputs={"weight_kg": 2.5}, output={"days": 1.5, "carrier": "north"})],
)
"""The contract of the first name with golden examples that it has not had before."""


@pytest.mark.parametrize("stage", ["shadow", "canary", "live"])
def test_other_golden_examples(
    releases: Releases, database: Database, clock: FakeClock, stage: Stage
) -> None:
    """Who was not asked the examples of today gets no further before it has been."""
    percent = 5.0 if stage == "canary" else None
    number, strict = passed(releases), Releases(database, clock, [STRICT])
    with pytest.raises(
        ReleaseUnverified, match="1 cannot be promoted: it was not asked today's golden examples"
    ):
        strict.promote(NAME, number, "ann", stage=stage, percent=percent)
    strict.keep_report(NAME, number, report(STRICT, "examples"), "ann")
    with pytest.raises(ReleaseUnverified, match="broke examples"):
        strict.promote(NAME, number, "ann", stage=stage, percent=percent)
    releases.promote(NAME, number, "ann", stage="shadow")
    strict.keep_report(NAME, number, report(STRICT), "ann")
    releases.withdraw(NAME, number, "ann")
    strict.promote(NAME, number, "ann", stage=stage, percent=percent)


def test_whoever_answers_goes_on_with_other_golden_examples(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """Clients may send what they could before, so who answers does, and who did may be live."""
    before, now = passed(releases), passed(releases, model=2)
    for number in (before, now):
        releases.promote(NAME, number, "ann")
    strict = Releases(database, clock, [STRICT])
    routing = strict.routing(NAME)
    assert routing.previous
    assert {each.fingerprint for each in (routing.live, routing.previous)} == {STRICT.fingerprint}
    assert strict.can_go_back(NAME)
    strict.rollback(NAME, "ann")
    assert strict.routing(NAME).live.number == before
    strict.keep_report(NAME, before, report(STRICT, "examples"), "ann")
    assert strict.routing(NAME).live.fingerprint == STRICT.fingerprint


def test_a_share_is_lowered_with_other_golden_examples(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """What is new keeps a canary from more of the traffic, and nobody from giving it less."""
    number, strict = passed(releases), Releases(database, clock, [STRICT])
    releases.promote(NAME, number, "ann", stage="canary", percent=50.0)
    with pytest.raises(ReleaseUnverified, match="golden examples"):
        strict.promote(NAME, number, "ann", stage="canary", percent=50.5)
    with pytest.raises(ReleaseUnverified, match="golden examples"):
        strict.promote(NAME, number, "ann")
    strict.promote(NAME, number, "ann", stage="canary", percent=5.0)
    strict.promote(NAME, number, "ann", stage="shadow")
    with pytest.raises(ReleaseUnverified, match="golden examples"):
        strict.promote(NAME, number, "ann", stage="canary", percent=5.0)


def test_overriding(releases: Releases) -> None:
    """A broken rule can be overridden by name, on record, until the release is verified again."""
    number = passed(releases, "latency", "repeats")
    releases.override(NAME, number, "latency", "ann", "nobody waits for it")
    with pytest.raises(ReleaseUnverified, match=r"it broke repeats\.$"):
        releases.promote(NAME, number, "ann")
    releases.override(NAME, number, "repeats", "bob", "random on purpose")
    assert list(releases.verification(NAME, number).overridden) == ["latency", "repeats"]
    releases.promote(NAME, number, "ann", stage="shadow")
    (last,) = [each for each in releases.moves(NAME, number) if each.rule == "repeats"]
    assert (last.by, last.action, last.reason) == ("bob", "overridden", "random on purpose")
    releases.keep_report(NAME, number, report(DELIVERY, "latency"), "ann")
    with pytest.raises(ReleaseUnverified):
        releases.promote(NAME, number, "ann")


@pytest.mark.parametrize(
    ("rule", "error"),
    [("loads", RuleFixed), ("survives", RuleFixed), ("memory", RuleHeld), ("speed", RuleUnknown)],
)
def test_what_cannot_be_overridden(
    releases: Releases, rule: str, error: type[StopgapError]
) -> None:
    """Some rules can never be overridden; one that held, or that there is not, need not be."""
    number = passed(releases, "loads", "survives", "contract")
    with pytest.raises(error):
        releases.override(NAME, number, rule, "ann", "because")
    new = releases.add(NAME, specification(), "ann").number
    with pytest.raises(ReleaseUnverified, match="never"):
        releases.override(NAME, new, "contract", "ann", "because")


def test_an_override_for_a_contract_that_is_gone(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """What was found for another contract, or without today's examples, opens nothing today."""
    number = passed(releases, "latency")
    for contract, what in ((TOMORROW, "contract has changed"), (STRICT, "today's golden examples")):
        known = Releases(database, clock, [contract])
        with pytest.raises(ReleaseUnverified, match=f"{what}.*verify it again"):
            known.override(NAME, number, "latency", "ann", "it is quick enough")
        with pytest.raises(ReleaseUnverified, match="verify it again"):
            known.planned_override(NAME, number, "latency", "it is quick enough")
    assert releases.verification(NAME, number).overridden == ()


def test_an_override_says_why(releases: Releases) -> None:
    """A rule is not overridden by somebody who does not say why."""
    number = passed(releases, "repeats")
    with pytest.raises(ReasonMissing):
        releases.override(NAME, number, "repeats", "ann", " ")
    assert releases.verification(NAME, number).overridden == ()


def test_reports_are_kept(releases: Releases) -> None:
    """The report of the last verification can be read again, as it was."""
    number = releases.add(NAME, specification(), "ann").number
    assert releases.verification(NAME, number).report is None
    assert releases.verification(NAME, 0).report is None
    for broken in (("contract",), ()):
        releases.keep_report(NAME, number, report(DELIVERY, *broken), "ann")
        assert releases.verification(NAME, number).report == report(DELIVERY, *broken)


def test_old_reports_are_not_read_again(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a release that was verified often, one report is read: a page lists many releases."""
    numbers = [passed(releases) for _ in range(3)]
    for number in numbers * 4:
        releases.keep_report(NAME, number, report(DELIVERY), "ann")
    read = []
    kept = Report.of

    def noted(document: Mapping[str, Any]) -> Report:
        read.append(document)
        return kept(document)

    monkeypatch.setattr(Report, "of", noted)
    found = releases.verifications(NAME, numbers)
    assert [each.report for each in found] == [report(DELIVERY)] * 3
    assert len(read) == 3


def test_from_candidate_to_live_and_back(releases: Releases) -> None:
    """The whole way, as workers see it: routing, and a version that goes up at each step."""
    one, two = passed(releases), passed(releases)
    seen = [releases.version()]
    releases.promote(NAME, one, "ann")
    releases.promote(NAME, two, "ann", stage="shadow")
    seen.append(releases.version())
    assert [each.number for each in releases.routing(NAME).shadows] == [two]
    releases.promote(NAME, two, "ann", stage="canary", percent=10, sticky="inputs")
    seen.append(releases.version())
    canary = releases.routing(NAME).canary
    assert canary
    assert (canary.number, canary.percent, canary.sticky) == (two, 10.0, "inputs")
    releases.promote(NAME, two, "ann")
    routing = releases.routing(NAME)
    assert (routing.live.number, routing.previous and routing.previous.number) == (two, one)
    assert (routing.canary, routing.shadows, routing.live.percent) == (None, (), 0.0)
    for expected in (one, 0):
        releases.rollback(NAME, "ann", "it is wrong")
        assert releases.routing(NAME).live.number == expected
    with pytest.raises(NothingBefore):
        releases.rollback(NAME, "ann")
    seen.append(releases.version())
    assert seen == sorted(set(seen))
    assert releases.routing(LETTER.name).version == 0


def test_moves_are_on_record(releases: Releases, clock: FakeClock) -> None:
    """Who did what, when and why, to each release that was moved by it; for ever."""
    one, two = passed(releases), passed(releases)
    releases.promote(NAME, one, "ann")
    releases.promote(NAME, two, "bob", stage="canary", percent=5)
    clock.forward(minutes=1)
    releases.promote(NAME, two, "bob", reason="better")
    releases.rollback(NAME, "ann", "worse after all")
    told = [
        (move.number, move.by, move.action, move.was, move.now, move.reason)
        for move in releases.moves(NAME)
    ]
    assert told[:5] == [
        (2, "ann", "rolled back", "live", "candidate", "worse after all"),
        (1, "ann", "rolled back", "retired", "live", "worse after all"),
        (2, "bob", "promoted", "canary", "live", "better"),
        (1, "bob", "promoted", "live", "retired", "better"),
        (2, "bob", "promoted", "candidate", "canary", ""),
    ]
    assert [each.action for each in releases.moves(NAME, 2)][-2:] == ["verified", "added"]
    assert releases.moves(NAME)[0].at == clock.now()


@pytest.mark.parametrize(
    ("sticky", "words", "reason"),
    [
        ("inputs", "; its share is of the inputs from now on.", "its share is of the inputs. why"),
        ("caller", ".", "why"),
        (None, ".", "why"),
    ],
)
def test_a_share_of_others_is_on_record(
    releases: Releases, sticky: Sticky | None, words: str, reason: str
) -> None:
    """Whose share a canary's is, is told before and kept after, also where nothing else changes."""
    number = passed(releases)
    releases.promote(NAME, number, "ann", stage="canary", percent=5)
    (planned,) = releases.planned(NAME, number, stage="canary", percent=5, sticky=sticky)
    told = f"Release {number} (canary) answers 5% of the requests, judged all the while{words}"
    assert planned.words() == told
    (done,) = releases.promote(
        NAME, number, "bob", stage="canary", percent=5, sticky=sticky, reason="why"
    )
    assert done == planned
    last, before = releases.moves(NAME, number)[:2]
    assert (last.by, last.was, last.now, last.percent) == ("bob", "canary", "canary", 5.0)
    assert (last.reason, before.by) == (reason, "ann")
    assert releases.show(NAME, number).sticky == (sticky or "caller")


def test_a_plan_does_nothing(releases: Releases) -> None:
    """What a move would do is told beforehand, with the refusal it would meet, and not done."""
    one, two = passed(releases), releases.add(NAME, specification(), "ann").number
    before = releases.version()
    assert [each.words() for each in releases.planned(NAME, one)] == [
        "Release 1 (candidate) answers the requests.",
        "The stand-in answers none any more.",
    ]
    with pytest.raises(ReleaseUnverified):
        releases.planned(NAME, two)
    with pytest.raises(NothingBefore):
        releases.planned_rollback(NAME)
    assert releases.version() == before
    releases.promote(NAME, one, "ann")
    assert [each.number for each in releases.planned_rollback(NAME)] == [0, one]
    assert releases.routing(NAME).live.number == one


def test_plans_of_the_end(releases: Releases) -> None:
    """A withdrawal and a retirement can be planned, are not done by it, and raise as they would."""
    number = passed(releases)
    with pytest.raises(MoveNotAllowed):
        releases.planned(NAME, number, stage="candidate")
    releases.promote(NAME, number, "ann", stage="shadow")
    (back,) = releases.planned(NAME, number, stage="candidate")
    (away,) = releases.planned(NAME, number, stage="retired")
    assert (back.was, back.now, away.now) == ("shadow", "candidate", "retired")
    assert stages(releases)[number] == "shadow"
    with pytest.raises(ReleaseNotFound):
        releases.planned(NAME, 7, stage="retired")


def test_decisions_by_an_old_standing(releases: Releases) -> None:
    """Who decides by how things stood changes nothing once anything else was changed."""
    number = passed(releases)
    seen = releases.as_seen(releases.routing(NAME).version)
    releases.promote(NAME, number, "bob", stage="shadow")
    changes: tuple[Callable[[], object], ...] = (
        lambda: seen.promote(NAME, number, "ann"),
        lambda: seen.withdraw(NAME, number, "ann"),
        lambda: seen.retire(NAME, number, "ann"),
        lambda: seen.rollback(NAME, "ann"),
    )
    for change in changes:
        with pytest.raises(StandingChanged):
            change()
    assert stages(releases)[number] == "shadow"
    releases.as_seen(releases.routing(NAME).version).promote(NAME, number, "ann")
    assert stages(releases)[number] == "live"


FIRST, SECOND = "1" * 64, "2" * 64


def test_nobody_waits_for_a_file(releases: Releases, database: Database, clock: FakeClock) -> None:
    """While a model's file is held against its hash, which takes its time, others may write."""
    seen: list[str] = []

    def fetch(digest: str) -> None:
        Releases(database, clock, [DELIVERY]).allow_stand_in(NAME, "bob", allowed=True)
        seen.append(digest)

    careful = Releases(database, clock, [DELIVERY], fetch=fetch)
    for digest in (FIRST, SECOND):
        kept = replace(specification(), artifact=digest)
        number = releases.add(NAME, kept, "ann").number
        releases.keep_report(NAME, number, report(DELIVERY), "ann")
        careful.planned(NAME, number)
        careful.promote(NAME, number, "ann")
    careful.planned_rollback(NAME)
    careful.rollback(NAME, "ann")
    assert seen == [FIRST, FIRST, SECOND, SECOND, FIRST, FIRST]


def test_going_back_to_what_nobody_has_looked_at(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """Who goes back while somebody else moves on is told so: that other file was not held whole."""
    kept = replace(specification(), artifact=FIRST)
    first = releases.add(NAME, kept, "ann").number
    releases.keep_report(NAME, first, report(DELIVERY), "ann")
    second, third = passed(releases), passed(releases)
    for number in (first, second):
        releases.promote(NAME, number, "ann")

    def meanwhile(_digest: str) -> None:
        releases.promote(NAME, third, "bob")

    with pytest.raises(StandingChanged):
        Releases(database, clock, [DELIVERY], fetch=meanwhile).rollback(NAME, "ann")
    assert releases.routing(NAME).live.number == third


def verify_file(releases: Releases, number: int, file_hash: str, *broken: str) -> None:
    """Verify a release whose Python file has a hash."""
    seen = replace(report(DELIVERY, *broken), loaded={"kind": "python", "file_hash": file_hash})
    releases.keep_report(NAME, number, seen, "ann")


def live_file(releases: Releases) -> str | None:
    """Tell which file the live release may be loaded from."""
    specification = releases.routing(NAME).live.specification
    assert specification
    return specification.file_hash


def test_a_live_file_that_was_verified_again_is_loaded(releases: Releases) -> None:
    """Who changes a live release's file verifies it where it is; what fails is not loaded."""
    number, third = passed(releases), "3" * 64
    verify_file(releases, number, FIRST)
    assert releases.show(NAME, number).specification == specification()
    releases.promote(NAME, number, "ann")
    assert live_file(releases) == FIRST
    before = releases.routing(NAME).version
    verify_file(releases, number, SECOND)
    assert live_file(releases) == SECOND
    assert releases.routing(NAME).version > before
    verify_file(releases, number, third, "latency")
    assert live_file(releases) == SECOND
    releases.override(NAME, number, "latency", "ann", "it is quick enough")
    assert live_file(releases) == third


def test_a_file_that_was_verified_again_is_loaded_anew(releases: Releases) -> None:
    """Who has a release loaded for going back, and sees it live again, answers by its new file."""
    first, second = passed(releases), passed(releases, model=2)
    verify_file(releases, first, FIRST)
    releases.promote(NAME, first, "ann", stage="shadow")
    releases.promote(NAME, first, "ann")
    then = SlotKey.of(releases.routing(NAME).live)
    releases.promote(NAME, second, "ann")
    verify_file(releases, first, SECOND)
    assert (previous := releases.routing(NAME).previous)
    assert SlotKey.of(previous) == then
    releases.rollback(NAME, "ann")
    assert (now := SlotKey.of(releases.routing(NAME).live))
    assert now != then
    assert now.specification.file_hash == SECOND


def test_a_file_that_was_verified_for_tomorrow_alone(database: Database, clock: FakeClock) -> None:
    """Today's server goes on with the file that was verified for its contract, and no other."""
    today = Releases(database, clock, [DELIVERY])
    tomorrow = Releases(database, clock, [TOMORROW])
    number = passed(today)
    verify_file(today, number, FIRST)
    today.promote(NAME, number, "ann")
    seen = replace(report(TOMORROW), loaded={"kind": "python", "file_hash": SECOND})
    tomorrow.keep_report(NAME, number, seen, "ann")
    assert (live_file(today), live_file(tomorrow)) == (FIRST, SECOND)
    verify_file(today, number, SECOND)
    assert live_file(today) == SECOND


def test_a_file_that_failed_today_and_passes_tomorrow(database: Database, clock: FakeClock) -> None:
    """Today's server goes on with the file that it let through last."""
    today = Releases(database, clock, [DELIVERY])
    tomorrow = Releases(database, clock, [TOMORROW])
    number = passed(today)
    verify_file(today, number, FIRST)
    today.promote(NAME, number, "ann")
    verify_file(today, number, SECOND, "latency")
    seen = replace(report(TOMORROW), loaded={"kind": "python", "file_hash": SECOND})
    tomorrow.keep_report(NAME, number, seen, "ann")
    assert (live_file(today), live_file(tomorrow)) == (FIRST, SECOND)


def test_an_override_outlasts_a_verification_for_tomorrow(
    database: Database, clock: FakeClock
) -> None:
    """What was let through by an override stays so while it is verified for another contract."""
    today = Releases(database, clock, [DELIVERY])
    tomorrow = Releases(database, clock, [TOMORROW])
    number = passed(today)
    verify_file(today, number, FIRST, "latency")
    today.override(NAME, number, "latency", "ann", "it is quick enough")
    today.promote(NAME, number, "ann")
    seen = replace(report(TOMORROW), loaded={"kind": "python", "file_hash": SECOND})
    tomorrow.keep_report(NAME, number, seen, "ann")
    assert (live_file(today), live_file(tomorrow)) == (FIRST, SECOND)
    assert (
        today.verification(NAME, number).overridden,
        tomorrow.verification(NAME, number).overridden,
    ) == (("latency",), ())
    verify_file(today, number, FIRST, "latency")
    assert today.verification(NAME, number).overridden == ()


def test_an_override_is_for_one_contract(database: Database, clock: FakeClock) -> None:
    """What is overridden for the contract of tomorrow opens nothing today, nor the other way."""
    today = Releases(database, clock, [DELIVERY])
    tomorrow = Releases(database, clock, [TOMORROW])
    number = passed(today, "latency", "repeats")
    tomorrow.keep_report(NAME, number, report(TOMORROW, "latency", "repeats"), "ann")
    for known, rule in ((tomorrow, "latency"), (tomorrow, "repeats"), (today, "latency")):
        known.override(NAME, number, rule, "ann", "it is all right there")
    assert today.verification(NAME, number).overridden == ("latency",)
    assert tomorrow.verification(NAME, number).overridden == ("latency", "repeats")
    with pytest.raises(ReleaseUnverified, match=r"it broke repeats\.$"):
        today.promote(NAME, number, "ann")
    tomorrow.promote(NAME, number, "ann")


def test_going_back_to_what_was_overridden(database: Database, clock: FakeClock) -> None:
    """A release that was let through by an override can be gone back to on its contract."""
    today = Releases(database, clock, [DELIVERY])
    number = passed(today, "latency")
    today.override(NAME, number, "latency", "ann", "it is quick enough")
    for each in (number, passed(today)):
        today.promote(NAME, each, "ann")
    Releases(database, clock, [TOMORROW]).keep_report(NAME, number, report(TOMORROW), "ann")
    today.rollback(NAME, "ann")
    assert today.routing(NAME).live.number == number


def test_going_back_needs_the_same_contract(database: Database, clock: FakeClock) -> None:
    """Nothing is gone back to that was verified for a contract that is served no more."""
    releases = Releases(database, clock, [DELIVERY])
    for _ in range(2):
        releases.promote(NAME, passed(releases), "ann")
    changed = Releases(database, clock, [TOMORROW])
    changed.keep_report(NAME, 2, report(TOMORROW), "ann")
    with pytest.raises(ReleaseUnverified, match="changed"):
        changed.rollback(NAME, "ann")
    assert changed.routing(NAME).live.number == 2
    releases.rollback(NAME, "ann")
    assert releases.routing(NAME).live.number == 1


def test_a_canary_is_sent_back_once(releases: Releases) -> None:
    """Of all who judge alike, one sends the canary back; who comes late changes nothing."""
    number = passed(releases)
    releases.promote(NAME, number, "ann", stage="canary", percent=5)
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(releases.send_back, NAME, number, "it fails", {"failures": 4.0})
            for _ in range(8)
        ]
        assert sorted(each.result() for each in sent) == [False] * 7 + [True]
    move = releases.moves(NAME)[0]
    assert (move.by, move.action, move.now) == (SERVER, "sent back", "candidate")
    assert (move.reason, move.figures) == ("it fails", {"failures": 4.0})
    assert releases.moves(NAME)[1].figures is None
    assert releases.routing(NAME).canary is None


def test_withdrawing_and_retiring(releases: Releases) -> None:
    """A canary can be taken off, and a release put away, but for the live one."""
    one, two = passed(releases), passed(releases)
    releases.promote(NAME, one, "ann")
    releases.promote(NAME, two, "ann", stage="canary", percent=5)
    releases.withdraw(NAME, two, "ann", "enough seen")
    assert stages(releases) == {2: "candidate", 1: "live", 0: "retired"}
    releases.retire(NAME, two, "ann")
    with pytest.raises(MoveNotAllowed, match="add it again"):
        releases.promote(NAME, two, "ann")
    with pytest.raises(MoveNotAllowed):
        releases.retire(NAME, one, "ann")


def test_what_is_put_away_is_on_record(releases: Releases) -> None:
    """A release that was kept ready for going back is put away by somebody, and for a reason."""
    one, two = passed(releases), passed(releases)
    for number in (one, two):
        releases.promote(NAME, number, "ann")
    (told,) = releases.retire(NAME, one, "bob", "gone for good")
    assert told.words() == "Release 1 (retired) is put away."
    move = releases.moves(NAME)[0]
    assert (move.number, move.by, move.action, move.reason) == (
        1,
        "bob",
        "retired",
        "gone for good",
    )


def test_artifacts_that_are_needed(releases: Releases) -> None:
    """A model's file is needed until its release is put away and nothing goes back to it."""
    for digit in "abc":
        kept = Specification(uri="onnx:model.onnx", artifact=digit * 64)
        number = releases.add(NAME, kept, "ann").number
        releases.keep_report(NAME, number, report(DELIVERY), "ann")
        releases.promote(NAME, number, "ann")
    assert releases.needed() == {"a" * 64, "b" * 64, "c" * 64}
    releases.retire(NAME, 2, "ann")
    assert releases.needed() == {"a" * 64, "c" * 64}


def test_artifacts_of_a_contract_that_is_not_served(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """A server that serves fewer contracts sweeps away nothing of the others."""
    kept = Specification(uri="onnx:model.onnx", artifact="a" * 64)
    releases.add(NAME, kept, "ann")
    assert Releases(database, clock, [LETTER]).needed() == {"a" * 64}


def test_releases_of_a_contract_that_is_not_served(
    releases: Releases, database: Database, clock: FakeClock
) -> None:
    """A live release left behind is told where the stand-in answers, perhaps by another name."""
    renamed = Releases(database, clock, [LETTER])
    number = passed(releases)
    assert renamed.left_behind() == {}
    releases.promote(NAME, number, "ann")
    assert renamed.left_behind() == {NAME: number}
    assert releases.left_behind() == {}
    renamed.add(LETTER.name, specification(), "ann")
    renamed.keep_report(LETTER.name, 1, report(LETTER), "ann")
    renamed.promote(LETTER.name, 1, "ann")
    assert renamed.left_behind() == {}


def test_the_stand_in_as_a_fallback(releases: Releases) -> None:
    """The stand-in answers for a failed model only after somebody has said so, on record."""
    assert not releases.routing(NAME).stand_in_fallback
    releases.allow_stand_in(NAME, "ann", allowed=True, reason="a demo")
    assert releases.routing(NAME).stand_in_fallback
    releases.promote(NAME, passed(releases), "ann")
    assert releases.routing(NAME).stand_in_fallback
    releases.allow_stand_in(NAME, "ann", allowed=False)
    assert not releases.routing(NAME).stand_in_fallback
    told = [each.reason for each in releases.moves(NAME, 0) if each.action == "fallback"]
    assert told[-1] == "the stand-in may answer for a failed model. a demo"


def test_words_from_outside(releases: Releases) -> None:
    """Notes and reasons of any kind are kept, as far as a database can, and not without end."""
    release = releases.add(NAME, specification(), "ann\0", "\ud800" + "x" * 5_000)
    assert releases.show(NAME, 1) == release
    assert (release.created_by, len(release.note)) == ("ann\ufffd", 1_000)


def test_an_overridden_file_stays_let_through(releases: Releases) -> None:
    """What was let through by an override stays loaded when the next file of a release fails."""
    number, third = passed(releases), "3" * 64
    verify_file(releases, number, FIRST)
    releases.promote(NAME, number, "ann")
    verify_file(releases, number, SECOND, "latency")
    releases.override(NAME, number, "latency", "ann", "it is quick enough")
    verify_file(releases, number, third, "latency")
    assert live_file(releases) == SECOND


def test_a_changed_file_is_given_no_traffic(releases: Releases, tmp_path: Path) -> None:
    """A Python file that is another than the one that was verified is verified again first."""
    model = tmp_path / "model.py"
    model.write_text("answer = len\n")
    number = releases.add(NAME, Specification(uri=f"python:{model}:answer"), "ann").number
    verify_file(releases, number, str(file_hash(model)))
    model.write_text("answer = max\n")
    with pytest.raises(ReleaseUnverified, match="has changed since it was verified"):
        releases.promote(NAME, number, "ann")
    model.write_text("answer = len\n")
    releases.promote(NAME, number, "ann")


def assert_not_there(releases: Releases, number: int, words: str) -> None:
    """Hold that a release that was live before is neither promoted nor rolled back to, and why."""
    live = releases.routing(NAME).live.number
    calls: tuple[Callable[[], object], ...] = (
        lambda: releases.promote(NAME, number, "ann"),
        lambda: releases.planned(NAME, number),
        lambda: releases.rollback(NAME, "ann"),
        lambda: releases.planned_rollback(NAME),
    )
    for call in calls:
        with pytest.raises(ModelUnloadable, match=words):
            call()
    assert releases.routing(NAME).live.number == live


def test_a_python_that_is_gone_is_given_no_traffic(releases: Releases, tmp_path: Path) -> None:
    """A release whose own Python nobody finds any more is not promoted, nor rolled back to."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    kept = replace(specification(), python=str(python))
    number, other = releases.add(NAME, kept, "ann").number, passed(releases)
    releases.keep_report(NAME, number, report(DELIVERY), "ann")
    for each in (number, other):
        releases.promote(NAME, each, "ann")
    python.unlink()
    assert_not_there(releases, number, rf"{python} is no program here")
    python.symlink_to(sys.executable)
    releases.rollback(NAME, "ann")
    assert releases.routing(NAME).live.number == number


@pytest.mark.parametrize("python", [None, "python3"])
def test_a_file_that_is_gone_is_given_no_traffic(
    releases: Releases, tmp_path: Path, python: str | None
) -> None:
    """A Python file that nobody finds any more is not promoted, nor rolled back to."""
    model = tmp_path / "model.py"
    model.write_text("answer = len\n")
    kept = Specification(uri=f"python:{model}:answer", python=python)
    number, other = releases.add(NAME, kept, "ann").number, passed(releases)
    verify_file(releases, number, str(file_hash(model)))
    for each in (number, other):
        releases.promote(NAME, each, "ann")
    model.unlink()
    assert_not_there(releases, number, rf"There is no file .*{model.name}")
    model.write_text("answer = len\n")
    releases.rollback(NAME, "ann")
