"""Predicting: at once where an answer takes no time, awaited where it does, for any thread."""

import asyncio
import sys

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop
from tests.predicting.slots import (
    REQUEST_ID,
    Drawn,
    FakeSlot,
    Memory,
    nobodys_reporter,
    plan,
    predicting,
    release,
    routing,
    row,
)

from stopgap.contracts.madcompany import contract
from stopgap.models.failures import ModelUnavailable
from stopgap.predicting.engine import Engine
from stopgap.predicting.instant import InstantModel, Prediction
from stopgap.predicting.predicting import SWITCH_SECONDS, Predicting
from stopgap.releases.plan import Plan
from stopgap.telemetry.metrics import Metrics


@pytest.mark.parametrize(
    "of",
    [
        plan(routing(release(7)), _7=FakeSlot()),
        plan(routing(release(0), canary=release(7, "canary", percent=1)), _7=FakeSlot()),
        plan(routing(release(0), shadows=(release(7, "shadow"),)), background_7=FakeSlot()),
        Plan(None),
    ],
)
@in_a_loop
async def test_the_stand_in_alone_is_instant(of: Plan) -> None:
    """Only the stand-in with nobody beside it answers at once; and it does so again afterwards."""
    served = predicting(Memory())
    changes: list[bool] = []
    served.on_change(lambda: changes.append(served.awaited(contract) is None))
    served.apply(contract, of)
    served.apply(contract, plan(routing(release(0))))
    assert changes == [False, True]


LIVE = release(7)
BEFORE = release(6, "candidate")


@pytest.mark.parametrize(
    ("of", "ready"),
    [
        (Plan(None), False),
        (plan(routing(release(0))), True),
        (plan(routing(LIVE), _7=FakeSlot()), True),
        (plan(routing(LIVE)), False),
        (plan(routing(LIVE, previous=BEFORE)), False),
        (plan(routing(LIVE, previous=BEFORE), _6=FakeSlot()), True),
        (plan(routing(LIVE, stand_in_fallback=True)), True),
        (plan(routing(LIVE, canary=release(8, "canary", percent=50)), _8=FakeSlot()), False),
    ],
)
@in_a_loop
async def test_there_has_been_somebody_to_answer(of: Plan, *, ready: bool) -> None:
    """Whoever answers or helps out counts, once and for all; before a plan, nothing is amiss."""
    served = predicting(Memory())
    served.check_ready()
    served.apply(contract, of)
    if not ready:
        with pytest.raises(ModelUnavailable) as caught:
            served.check_ready()
        assert caught.value.reason == "nobody answers for madcompany yet"
        served.apply(contract, plan(routing(release(0))))
    served.apply(contract, Plan(None))
    served.check_ready()


def test_threads_get_there() -> None:
    """A thread without a loop asks as the door does, and has the same answers and errors."""
    engine, spool = Engine(), Memory()
    served = Predicting(
        [InstantModel(contract=contract, name="stand-in", model=Drawn())],
        clock=FakeClock(),
        spool=spool,
        strict=True,
        metrics=Metrics(),
        engine=engine,
        reporter=nobodys_reporter(),
    )

    async def begin() -> None:
        served.apply(contract, plan(routing(release(7)), _7=FakeSlot(2700)))

    async def end() -> None:
        served.apply(contract, Plan(None))

    engine.carry(begin, end)
    asked = served.predict(contract, row(), REQUEST_ID, None)
    assert asked == Prediction(2700, b"2700", "7")
    engine.run(end(), 5)
    with pytest.raises(ModelUnavailable):
        served.predict(contract, row(), REQUEST_ID, None)
    engine.close()
    assert len(spool.bodies) == 1


@in_a_loop
async def test_who_goes_by_the_old_plan_ends_by_it() -> None:
    """A change touches no prediction that is under way."""
    served, slot = predicting(Memory()), FakeSlot(2700, held=True)
    served.apply(contract, plan(routing(release(7)), _7=slot))
    awaited = served.awaited(contract)
    assert awaited is not None
    asked = asyncio.create_task(awaited.answer(row(), REQUEST_ID, None))
    await asyncio.sleep(0)
    served.apply(contract, plan(routing(release(8)), _8=FakeSlot(2800)))
    slot.gate.set()
    assert (await asked).release == "7"


@in_a_loop
async def test_who_computes_in_the_worker_shares_the_interpreter() -> None:
    """Threads take turns more often for as long as a model computes in one of them."""
    usual = sys.getswitchinterval()
    served, inside = predicting(Memory()), release(7, in_process=True)
    seen: list[float] = []
    served.on_change(lambda: seen.append(sys.getswitchinterval()))
    served.apply(contract, plan(routing(inside), _7=FakeSlot()))
    served.apply(contract, plan(routing(release(8)), _8=FakeSlot()))
    assert seen == pytest.approx([SWITCH_SECONDS, usual])


@in_a_loop
async def test_the_stages_are_told() -> None:
    """Whoever watches is told who serves, and in which stage."""
    served = predicting(Memory())
    assert list(served.stages()) == [("madcompany", "stand-in", "live")]
    who = routing(
        release(7), canary=release(8, "canary", percent=5), shadows=(release(9, "shadow"),)
    )
    served.apply(contract, plan(who))
    assert [each[1:] for each in served.stages()] == [
        ("7", "live"),
        ("8", "canary"),
        ("9", "shadow"),
    ]
    served.apply(contract, Plan(None))
    assert list(served.stages()) == []


@in_a_loop
async def test_an_old_plans_shadows_take_no_more() -> None:
    """Once another plan is there, nothing is asked of a shadow whose model may be gone."""
    served, shadow = predicting(Memory()), FakeSlot(2600)
    who = routing(release(7), shadows=(release(8, "shadow"),))
    served.apply(contract, plan(who, _7=FakeSlot(), background_8=shadow))
    before = served.awaited(contract)
    assert before is not None
    await before.answer(row(), REQUEST_ID, None)
    served.apply(contract, plan(routing(release(7)), _7=FakeSlot()))
    await asyncio.sleep(0.1)
    assert shadow.batches == []
