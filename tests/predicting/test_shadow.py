"""A shadow: it answers copies, changes nothing for clients, and goes first when there is load."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.front.loops import in_a_loop
from tests.predicting.slots import (
    REQUEST_ID,
    FakeSlot,
    Memory,
    plan,
    predicting,
    release,
    routing,
    row,
)

from stopgap.clock import SystemClock
from stopgap.contracts.madcompany import contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelDied, ModelFailed, ModelRaised
from stopgap.predicting.awaited import AwaitedPredictor
from stopgap.predicting.shadow import PAUSE_SECONDS, ROOM
from stopgap.releases.comparing import Comparison
from stopgap.releases.reporting import Reporter
from stopgap.releases.tally import Tally
from stopgap.releases.trouble import Troubles
from stopgap.telemetry.metrics import COPIES_DROPPED, times

SOON = 4 * PAUSE_SECONDS


class Kept:
    """Keeps what a worker hands over."""

    def __init__(self) -> None:
        self.tallies: dict[int, Tally] = {}
        self.compared: dict[int, Comparison] = {}  # by whose answers the shadow's lie beside

    def tally(self, _worker: str, tallies: Collection[Tally]) -> None:
        """Keep tallies."""
        self.tallies = {each.number: each for each in tallies}

    def compare(
        self, _contract: str, _number: int, against: int, _worker: str, comparison: Comparison
    ) -> None:
        """Keep a comparison."""
        self.compared[against] = comparison

    def trouble(self, _worker: str, _troubles: Troubles) -> None:
        """Keep none."""

    def judge(self, _contract: str) -> None:
        """Judge nobody."""

    def send_back(self, *_told: Any) -> bool:
        """Send nobody back."""
        raise NotImplementedError


class House:
    """A live release, or the stand-in, with a shadow beside it."""

    def __init__(self, shadow: FakeSlot, live: FakeSlot | None = None, *, batch: int = 64) -> None:
        self.kept = Kept()
        self.reporter = Reporter(self.kept, self.kept.send_back, "one")
        self.served = predicting(Memory(), clock=SystemClock(), reporter=self.reporter)
        who = routing(release(7 if live else 0), shadows=(release(8, "shadow", batch=batch),))
        slots = {"background_8": shadow} | ({"_7": live} if live else {})
        self.served.apply(contract, plan(who, **slots))

    @property
    def awaited(self) -> AwaitedPredictor:
        """Who answers."""
        found = self.served.awaited(contract)
        assert found is not None
        return found

    async def ask(self, visits: int = 100) -> bytes:
        """Ask once."""
        return (await self.awaited.answer(row(visits), REQUEST_ID, None)).body

    @property
    def dropped(self) -> int:
        """How many copies were dropped, as the metrics have it."""
        counts = self.served._metrics.of_all().counts
        return times(counts.get((COPIES_DROPPED, contract.name, "8"), [0]))

    def hand_over(self) -> Kept:
        """Have it hand over what it has counted."""
        self.reporter.take({})()
        return self.kept


@in_a_loop
async def test_it_answers_copies_after_the_client_has_its_answer() -> None:
    """What the client was given and what the shadow says are kept side by side."""
    slot = FakeSlot(2222)
    house = House(slot, FakeSlot(3141))
    assert [await house.ask() for _ in range(3)] == [b"3141"] * 3
    assert slot.batches == []
    await asyncio.sleep(SOON)
    assert slot.batches == [3]
    kept = house.hand_over()
    assert kept.tallies[8].outcomes == {"ok": 3}
    assert set(kept.compared) == {7}


@in_a_loop
async def test_it_is_compared_with_whoever_answered() -> None:
    """What the canary gave, or the release that helped out, is nobody else's answer."""
    house = House(shadow := FakeSlot(3141), live := FakeSlot(3141))
    canary = release(9, "canary", percent=50, sticky="inputs")
    who = routing(release(7), canary=canary, shadows=(release(8, "shadow"),), previous=release(6))
    slots = {"background_8": shadow, "_7": live, "_9": FakeSlot(2222), "_6": FakeSlot(5000)}
    house.served.apply(contract, plan(who, **slots))
    given = [await house.ask(visits) for visits in range(20)]
    live.output = ModelDied("x")
    helped = [await house.ask(visits) for visits in range(20, 30)]
    await asyncio.sleep(2 * SOON)
    told = {other: each.spreads[""].bins for other, each in house.hand_over().compared.items()}
    assert told.keys() == {6, 7, 9}
    assert told[7] == {0: given.count(b"3141")}
    assert told[6].total() == helped.count(b"5000")
    assert told[9].total() == (given + helped).count(b"2222")
    assert 0 not in told[6] | told[9]


@pytest.mark.parametrize("output", [ModelDied("x"), 9999, float("nan"), None])
@in_a_loop
async def test_its_failures_are_its_own(output: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A shadow that fails is counted, the log says why, and nobody else notices."""
    house = House(FakeSlot(output))
    assert await house.ask() == b"2000"
    await asyncio.sleep(SOON)
    kept = house.hand_over()
    failed = "died" if isinstance(output, ModelFailed) else "breach"
    assert kept.tallies[8].outcomes == {failed: 1}
    assert kept.compared == {}
    assert kept.tallies.keys() >= {8}
    (line,) = (vars(each) for each in caplog.records)
    assert (line["contract"], line["release"]) == (contract.name, "8")
    assert line["reason"].startswith("x" if isinstance(output, ModelFailed) else "it must be ")


class Picky(FakeSlot):
    """A slot whose model raises over one row, and so over any one call that has it."""

    async def answer(self, row: Row) -> Any:
        """Answer, or fail."""
        found = await super().answer(row)
        if row.json == PICKED.json:
            raise ModelRaised("x")
        return found

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer all, or fail."""
        failed: list[Any] = [ModelRaised("x")] * len(rows)
        picked = any(row.json == PICKED.json for row in rows)
        return failed if picked else await super().answer_batch(rows)


PICKED = row(1)


@in_a_loop
async def test_a_row_that_fails_fails_no_other() -> None:
    """What raises over one of several rows is counted once, as a canary's would be."""
    slot = Picky(2222)
    house = House(slot)
    for visits in (0, 1, 2, 3):
        await house.ask(visits)
    await asyncio.sleep(SOON)
    kept = house.hand_over()
    assert kept.tallies[8].outcomes == {"ok": 3, "raised": 1}
    assert kept.compared[0].spreads[""].bins.total() == 3
    assert slot.batches == [4]


@in_a_loop
async def test_one_that_could_not_be_loaded_is_told() -> None:
    """What it would have been asked is counted, so that nobody takes its silence for success."""
    house = House(FakeSlot())
    house.served.apply(contract, plan(routing(release(0), shadows=(release(8, "shadow"),))))
    assert [await house.ask() for _ in range(3)] == [b"2000"] * 3
    await asyncio.sleep(SOON)
    assert house.hand_over().tallies[8].outcomes == {"unavailable": 3}


@in_a_loop
async def test_a_hung_one_holds_nothing() -> None:
    """While it hangs, clients are answered as quickly as ever, and what waits for it is bounded."""
    slot = FakeSlot(held=True)
    house = House(slot)
    await house.ask()
    await asyncio.sleep(SOON)
    began = time.perf_counter()
    for _ in range(1_000):
        await house.ask()
    assert time.perf_counter() - began < 0.5
    slot.gate.set()
    await asyncio.sleep(SOON)
    assert slot.batches == [1, ROOM]
    assert house.dropped == 1_000 - ROOM


@in_a_loop
async def test_it_is_asked_as_much_at_once_as_it_takes() -> None:
    """A release that takes two rows in a call gets its copies two by two."""
    slot = FakeSlot(2222)
    house = House(slot, batch=2)
    for _ in range(5):
        await house.ask()
    await asyncio.sleep(SOON)
    assert slot.batches == [2, 2, 1]
    assert house.hand_over().tallies[8].outcomes == {"ok": 5}


@in_a_loop
async def test_it_goes_first_when_the_live_release_has_much_to_do() -> None:
    """While many wait for the live release there are no copies."""
    live, slot = FakeSlot(), FakeSlot()
    house = House(slot, live)
    live.waiting = 1_000
    await house.ask()
    await asyncio.sleep(SOON)
    assert slot.batches == []
    assert house.dropped == 1


@in_a_loop
async def test_it_goes_first_when_the_event_loop_is_late() -> None:
    """When everything is late, what waits for it is dropped."""
    slot = FakeSlot()
    house = House(slot)
    await house.ask()
    time.sleep(SOON)  # noqa: ASYNC251  # the event loop is to be held up
    await asyncio.sleep(SOON)
    assert (slot.batches, house.dropped) == ([], 1)
    await house.ask()
    await asyncio.sleep(SOON)
    assert slot.batches == [1]


@in_a_loop
async def test_nothing_is_counted_of_one_that_is_gone() -> None:
    """What a shadow still answers when its stage has changed counts for nothing."""
    slot = FakeSlot(held=True)
    house = House(slot)
    await house.ask()
    await asyncio.sleep(SOON)
    house.served.apply(contract, plan(routing(release(0))))
    slot.gate.set()
    await asyncio.sleep(SOON)
    assert 8 not in house.hand_over().tallies
    assert house.served.awaited(contract) is None


@in_a_loop
async def test_it_goes_on() -> None:
    """What comes when the copies of before have been answered is answered as well."""
    shadow = FakeSlot()
    house = House(shadow)
    for _ in range(3):
        await house.awaited.answer(row(), REQUEST_ID, None)
        await asyncio.sleep(SOON)
    assert shadow.batches == [1, 1, 1]


@pytest.mark.parametrize(
    ("fingerprint", "counted"), [("the new one", {7}), ("", {7, 8, 9})], ids=["another", "failed"]
)
@in_a_loop
async def test_who_was_verified_for_another_contract_is_not_counted(
    fingerprint: str, counted: set[int]
) -> None:
    """A server of the old contract says nothing of the new one's canary and shadow.

    It cannot ask them; so the live release answers, as for any canary that cannot. Who failed the
    last verification for the contract that is served has itself to blame.
    """
    house = House(FakeSlot(), live := FakeSlot(3141))
    canary, shadow = (
        replace(each, fingerprint=fingerprint)
        for each in (release(9, "canary", percent=100), release(8, "shadow"))
    )
    who = routing(release(7), canary=canary, shadows=(shadow,))
    house.served.apply(contract, plan(who, _7=live))
    assert [await house.ask() for _ in range(10)] == [b"3141"] * 10
    await asyncio.sleep(SOON)
    kept = house.hand_over()
    assert kept.tallies.keys() == counted
    assert kept.tallies[7].outcomes == {"ok": 10}
