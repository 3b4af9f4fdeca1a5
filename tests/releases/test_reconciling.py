"""Reconciling: what is new is loaded before anything changes; what is gone is stopped after it."""

import asyncio
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop
from tests.predicting.slots import FakeSlot, release, routing

from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract
from stopgap.models.failures import ModelUnloadable
from stopgap.models.slot import Slot
from stopgap.releases import reconciling
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.reconciling import RETRY_MOST_SECONDS, RETRY_SECONDS, SlotReconciler
from stopgap.releases.release import Release

SOON = 0.25


class Garage:
    """Loads slots when it is told to, or cannot."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, bool], list[FakeSlot]] = {}
        self.gates: dict[int, asyncio.Event] = {}
        self.broken: set[int] = set()
        self.asked: list[int] = []
        self.cancelled: list[int] = []
        self.plans: list[Plan] = []
        self.clock = FakeClock()
        self.reconciler = SlotReconciler(
            contract, open=self.open, apply=self._apply, monotonic=self.clock.monotonic
        )

    def _apply(self, _contract: Contract, plan: Plan) -> None:
        self.plans.append(plan)

    async def open(self, _contract: Contract, key: SlotKey) -> Slot:
        """Load a slot."""
        self.asked.append(key.number)
        try:
            await self.gates.setdefault(key.number, open_gate()).wait()
        except asyncio.CancelledError:
            self.cancelled.append(key.number)
            raise
        if key.number in self.broken:
            raise ModelUnloadable("its file is damaged")
        slot = FakeSlot(2000 + key.number)
        self.slots.setdefault((key.number, key.background), []).append(slot)
        return slot

    async def follow(self, live: int | Release, **others: Any) -> Plan:
        """Go by a routing; return the plan a moment later."""
        chosen = live if isinstance(live, Release) else release(live)
        self.reconciler.follow(routing(chosen, **others))
        await asyncio.sleep(0.01)
        return self.plan

    @property
    def plan(self) -> Plan:
        """The plan of now."""
        return self.plans[-1]

    @property
    def live(self) -> int | None:
        """Who is live in it."""
        return self.plan.routing.live.number if self.plan.routing else None


def open_gate() -> asyncio.Event:
    """Make a gate that is open."""
    gate = asyncio.Event()
    gate.set()
    return gate


@in_a_loop
async def test_nobody_answers_before_anything_is_known() -> None:
    """Until a routing is known, the plan is that nobody answers."""
    garage = Garage()
    assert garage.live is None
    await garage.follow(0)
    assert garage.live == 0
    assert garage.asked == []


@in_a_loop
async def test_the_old_one_answers_while_the_new_one_is_loaded() -> None:
    """A change waits for its model; then the model that is gone is stopped."""
    garage = Garage()
    await garage.follow(1)
    garage.gates[2] = asyncio.Event()
    await garage.follow(2)
    assert garage.live == 1
    assert garage.asked == [1, 2]
    garage.gates[2].set()
    await asyncio.sleep(0.01)
    assert garage.live == 2
    await asyncio.sleep(SOON)
    assert garage.slots[1, False][0].stopped
    assert not garage.slots[2, False][0].stopped


@in_a_loop
async def test_who_is_still_asked_is_not_stopped() -> None:
    """A model stays for as long as a prediction goes by a plan that has it, older ones too."""
    garage = Garage()
    oldest = await garage.follow(1)
    oldest.inside = 1
    await garage.follow(2, previous=release(1, "retired"))
    await garage.follow(2)
    await asyncio.sleep(SOON)
    assert not garage.slots[1, False][0].stopped
    oldest.inside = 0
    await asyncio.sleep(SOON)
    assert garage.slots[1, False][0].stopped


@in_a_loop
async def test_a_release_before_is_kept_ready() -> None:
    """Whoever answers for the live one is loaded, so that going back takes no time."""
    garage = Garage()
    await garage.follow(1)
    await garage.follow(2, previous=release(1, "retired"))
    await garage.follow(1)
    assert garage.live == 1
    assert garage.asked == [1, 2]


@in_a_loop
async def test_a_live_release_that_cannot_be_loaded_is_live_nevertheless() -> None:
    """It fails, honestly, and is tried again; the one before it, if loaded, answers for it."""
    garage = Garage()
    garage.broken.add(2)
    await garage.follow(1)
    plan = await garage.follow(2, previous=release(1, "retired"))
    assert garage.live == 2
    assert plan.slot(release(2)) is None
    assert plan.slot(release(1)) is not None
    garage.broken.clear()
    garage.reconciler.retry()
    await asyncio.sleep(0.01)
    assert garage.plan.slot(release(2)) is None
    garage.clock.forward(seconds=RETRY_SECONDS)
    garage.reconciler.retry()
    await asyncio.sleep(0.01)
    assert garage.plan.slot(release(2)) is not None


@in_a_loop
async def test_who_helps_out_does_not_wait_for_what_cannot_be_loaded() -> None:
    """That the stand-in may answer is so at once, though the live one is being tried once more."""
    garage = Garage()
    garage.broken.add(1)
    await garage.follow(1)
    garage.gates[1].clear()
    plan = await garage.follow(1, stand_in_fallback=True)
    assert plan.routing is not None
    assert plan.routing.stand_in_fallback
    garage.broken.clear()
    garage.gates[1].set()
    await asyncio.sleep(0.01)
    assert garage.plan.slot(release(1)) is not None


@in_a_loop
async def test_what_was_mended_is_loaded_before_it_is_live() -> None:
    """A canary that could not be loaded is tried anew when it is to be live, and waited for."""
    garage = Garage()
    garage.broken.add(2)
    await garage.follow(1, canary=release(2, "canary"))
    garage.broken.clear()
    garage.gates[2].clear()
    await garage.follow(2, previous=release(1, "retired"))
    assert garage.live == 1
    garage.gates[2].set()
    await asyncio.sleep(0.01)
    assert garage.live == 2


@in_a_loop
async def test_nobody_waits_for_a_canary_or_a_shadow() -> None:
    """What is loaded slowly takes no part until it is there; what cannot be, fails as a canary."""
    garage = Garage()
    garage.gates[3] = asyncio.Event()
    garage.gates[4] = asyncio.Event()
    canary, shadow = release(3, "canary", percent=10), release(4, "shadow")
    plan = await garage.follow(1, canary=canary, shadows=(shadow,))
    assert plan.routing is not None
    assert (plan.routing.canary, plan.routing.shadows) == (None, ())
    garage.gates[4].set()
    garage.broken.add(3)
    garage.gates[3].set()
    await asyncio.sleep(0.01)
    assert garage.plan.routing is not None
    assert garage.plan.routing.canary == canary
    assert garage.plan.slot(canary) is None
    assert garage.plan.slot(shadow, background=True) is not None
    assert garage.plan.slot(shadow) is None


@in_a_loop
async def test_a_shadow_that_cannot_be_loaded_takes_part() -> None:
    """It fails then, as a canary would, where somebody sees it; once it is loaded, it answers."""
    garage, shadow = Garage(), release(4, "shadow")
    garage.broken.add(4)
    plan = await garage.follow(1, shadows=(shadow,))
    assert plan.routing
    assert plan.routing.shadows == (shadow,)
    assert plan.slot(shadow, background=True) is None
    garage.broken.clear()
    garage.clock.forward(seconds=RETRY_SECONDS)
    garage.reconciler.retry()
    await asyncio.sleep(0.01)
    assert garage.plan.slot(shadow, background=True) is not None


@in_a_loop
async def test_a_shadow_that_becomes_a_canary_runs_anew() -> None:
    """A shadow's process gives way to others, which one that clients wait for must not."""
    garage = Garage()
    await garage.follow(1, shadows=(release(3, "shadow"),))
    await garage.follow(1, canary=release(3, "canary", percent=10))
    assert [len(garage.slots[3, background]) for background in (True, False)] == [1, 1]
    await asyncio.sleep(SOON)
    assert garage.slots[3, True][0].stopped


@in_a_loop
async def test_going_back_does_not_wait_for_what_hangs() -> None:
    """While a new release hangs in its loading, another change is made at once."""
    garage = Garage()
    await garage.follow(1)
    garage.gates[2] = asyncio.Event()
    await garage.follow(2, previous=release(1, "retired"))
    await garage.follow(1, canary=release(3, "canary", percent=10))
    assert garage.plan.routing is not None
    assert garage.plan.routing.canary is not None
    assert garage.cancelled == [2]


@in_a_loop
async def test_no_change_waits_for_another_releases_load() -> None:
    """While a new release is loaded for minutes, a bad canary goes, and others come and go."""
    garage, canary = Garage(), release(3, "canary", percent=10)
    oldest = release(5, "retired")
    await garage.follow(1, canary=canary, previous=oldest)
    garage.gates[2] = asyncio.Event()
    before = release(1, "retired")
    plan = await garage.follow(2, previous=before, shadows=(release(4, "shadow"),))
    assert plan.routing
    assert (garage.live, plan.routing.canary, plan.routing.previous) == (1, None, oldest)
    assert [each.number for each in plan.routing.shadows] == [4]
    assert plan.slot(release(1)) is not None
    await asyncio.sleep(2 * SOON)
    assert garage.slots[3, False][0].stopped
    assert not garage.slots[1, False][0].stopped
    assert not garage.slots[5, False][0].stopped
    garage.gates[2].set()
    await asyncio.sleep(2 * SOON)
    assert garage.plan.routing
    assert (garage.live, garage.plan.routing.previous) == (2, before)
    assert garage.slots[5, False][0].stopped
    assert sorted(garage.asked) == [1, 2, 3, 4, 5]


@in_a_loop
async def test_after_a_start_others_help_out() -> None:
    """While the live release is loaded for minutes, the one before it answers as soon as it can."""
    garage, before = Garage(), release(1, "retired")
    garage.gates |= {1: asyncio.Event(), 2: asyncio.Event()}
    await garage.follow(2, previous=before)
    assert garage.live is None
    garage.gates[1].set()
    await asyncio.sleep(0.01)
    assert garage.plan.routing
    assert garage.plan.routing.live.number == 2
    assert not garage.plan.slot(release(2))
    assert garage.plan.slot(before)
    plan = await garage.follow(2, previous=before, canary=release(3, "canary", percent=10))
    assert plan.routing
    assert plan.routing.canary
    garage.gates[2].set()
    await asyncio.sleep(0.01)
    assert garage.plan.slot(release(2))
    assert sorted(garage.asked) == [1, 2, 3]


@in_a_loop
async def test_after_a_start_the_stand_in_helps_out_where_it_may() -> None:
    """Nobody else may answer for the live release, unless an operator has allowed it."""
    for allowed in (False, True):
        garage = Garage()
        garage.gates[2] = asyncio.Event()
        await garage.follow(2, previous=release(0, "retired"), stand_in_fallback=allowed)
        assert garage.plan.can_answer is allowed


@in_a_loop
async def test_who_gives_its_place_up_has_no_other_beside_it() -> None:
    """A release that answers until another is loaded is no canary or shadow of itself."""
    garage = Garage()
    await garage.follow(2)
    garage.gates[1] = asyncio.Event()
    plan = await garage.follow(1, canary=release(2, "canary", percent=10))
    assert plan.routing
    assert (garage.live, plan.routing.canary) == (2, None)
    garage.gates[1].set()
    await asyncio.sleep(0.01)
    assert garage.plan.routing
    assert garage.live == 1
    assert garage.plan.routing.canary
    assert garage.asked == [2, 1]


@in_a_loop
async def test_everything_ends() -> None:
    """At the end all models are stopped, and what is being loaded is given up."""
    garage = Garage()
    garage.gates[2] = asyncio.Event()
    await garage.follow(1, canary=release(2, "canary", percent=10))
    await garage.reconciler.close()
    assert garage.slots[1, False][0].stopped
    assert garage.cancelled == [2]


@in_a_loop
async def test_it_is_ready_when_all_that_clients_need_is_there() -> None:
    """Ready: live, canary and the one before are loaded or have failed; shadows may come later."""
    garage = Garage()
    garage.gates = {number: asyncio.Event() for number in (1, 2, 3)}
    ready = asyncio.create_task(garage.reconciler.ready())
    who = {"previous": release(2, "retired"), "shadows": (release(3, "shadow"),)}
    await garage.follow(1, **who)
    garage.gates[1].set()
    await asyncio.sleep(0.01)
    assert not ready.done()
    garage.gates[2].set()
    await asyncio.wait_for(ready, 1)
    await garage.reconciler.close()


@in_a_loop
async def test_who_has_the_plan_of_this_very_moment_is_waited_for() -> None:
    """A thread that has just looked up who answers is not counted yet; its model stays for it."""
    garage = Garage()
    plan = await garage.follow(1)
    garage.reconciler.follow(routing(release(2)))
    while garage.live != 2:  # noqa: ASYNC110  # another task does it
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    plan.inside = 1
    await asyncio.sleep(SOON)
    assert not garage.slots[1, False][0].stopped
    plan.inside = 0
    await asyncio.sleep(SOON)
    assert garage.slots[1, False][0].stopped


@in_a_loop
async def test_pauses_grow_to_a_minute() -> None:
    """A model that cannot be loaded is tried ever more seldom, but at least once a minute."""
    garage = Garage()
    garage.broken.add(1)
    await garage.follow(1)
    for _ in range(8):
        garage.clock.forward(seconds=RETRY_MOST_SECONDS)
        garage.reconciler.retry()
        await asyncio.sleep(0.01)
    assert garage.asked == [1] * 9


@in_a_loop
async def test_who_is_leaving_ends_as_well() -> None:
    """At the end a model is stopped that was kept for predictions of an older plan."""
    garage = Garage()
    oldest = await garage.follow(1)
    oldest.inside = 1
    await garage.follow(2)
    await garage.reconciler.close()
    assert garage.slots[1, False][0].stopped


@in_a_loop
async def test_nobody_is_kept_longer_than_any_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that somebody may still ask is stopped when no deadline can be that long."""
    monkeypatch.setattr(reconciling, "LEAVE_SECONDS", 0.05)
    garage = Garage()
    oldest = await garage.follow(1)
    oldest.inside = 1
    await garage.follow(2)
    await asyncio.sleep(SOON)
    assert garage.slots[1, False][0].stopped


@in_a_loop
async def test_it_is_known_what_cannot_be_asked() -> None:
    """A release that was not loaded is told with the reason, and one whose model is away."""
    garage = Garage()
    garage.broken.add(2)
    await garage.follow(1, canary=release(2, "canary"))
    assert garage.reconciler.troubles() == {2: "its file is damaged"}
    garage.slots[1, False][0].trouble = "it died"
    assert garage.reconciler.troubles() == {1: "it died", 2: "its file is damaged"}
    garage.slots[1, False][0].trouble = None
    await garage.follow(1)
    assert garage.reconciler.troubles() == {}
