"""The predictor of what is awaited: chosen, guarded, rescued where it fails, on record."""

import asyncio
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop, in_simulated_time
from tests.predicting.slots import (
    REQUEST_ID,
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
from stopgap.errors import StopgapError
from stopgap.journal.record import decode
from stopgap.journal.spool import SpoolUnwritable
from stopgap.models.answering import REASON_MAX
from stopgap.models.failures import (
    ModelDied,
    ModelFailed,
    ModelLate,
    ModelRaised,
    ModelUnavailable,
)
from stopgap.predicting.awaited import AwaitedPredictor
from stopgap.predicting.guard import PredictionFailed
from stopgap.predicting.serving import ModelBusy
from stopgap.releases.plan import Plan
from stopgap.releases.routing import Routing

FAILURES = [ModelRaised("x"), ModelLate("x"), ModelDied("x"), ModelUnavailable("x", 1.0)]
BROKEN = [1999, 5001, 3141.0, float("nan"), "3141", None, True]


class LoopClock(FakeClock):
    """A clock whose seconds are the event loop's."""

    def monotonic(self) -> float:
        """Tell seconds since some moment."""
        return asyncio.get_running_loop().time()


def predictor(spool: Memory, of: Plan) -> AwaitedPredictor:
    """Have a plan applied; return the predictor that it makes."""
    served = predicting(spool, clock=LoopClock())
    served.apply(contract, of)
    found = served.awaited(contract)
    assert found is not None
    return found


@in_a_loop
async def test_an_answer_says_its_release_and_is_on_record() -> None:
    """An answer is the model's, as bare JSON; what it was asked and what it said is kept."""
    spool, slot = Memory(), FakeSlot(3141)
    answered = await predictor(spool, plan(routing(release(7)), _7=slot)).answer(
        row(), REQUEST_ID, "ann"
    )
    assert answered == (3141, b"3141", "7")
    record = decode(spool.bodies[0])
    assert (record.id, record.release, record.caller) == (REQUEST_ID, "7", "ann")
    assert (record.output, record.inputs) == (b"3141", row().json)
    assert record.fingerprint == contract.fingerprint
    assert slot.asked[0].json == row().json


@in_simulated_time
async def test_the_moment_on_record_is_that_of_the_request() -> None:
    """However long the model takes: when the request was taken up, and for how long it was asked.

    Who exports what lies between two moments is told so, in docs/operator.md.
    """
    spool, slot, clock = Memory(), FakeSlot(held=True), FakeClock()
    served = predicting(spool, clock=clock)
    served.apply(contract, plan(routing(release(7, deadline=30.0)), _7=slot))
    answering = served.awaited(contract)
    assert answering is not None
    asked = asyncio.create_task(answering.answer(row(), REQUEST_ID, None))
    await asyncio.sleep(0.1)
    clock.forward(seconds=20)
    slot.gate.set()
    await asked
    record = decode(spool.bodies[0])
    assert (record.at, record.micros) == (FakeClock().microseconds(), 20_000_000)


@pytest.mark.parametrize("failure", FAILURES)
@in_a_loop
async def test_why_there_is_no_answer_is_logged(
    failure: ModelFailed, caplog: pytest.LogCaptureFixture
) -> None:
    """Operators read why a model gave no answer, a line a second for each release; clients not."""
    live, canary = FakeSlot(failure), FakeSlot(failure)
    who = routing(release(7), canary=release(8, "canary", percent=50), previous=release(6))
    helped = predictor(Memory(), plan(who, _7=live, _8=canary, _6=FakeSlot(3141)))
    for visits in range(20):
        assert (await helped.answer(row(visits), REQUEST_ID, None)).release == "6"
    told = sorted((vars(each)["release"], vars(each)["reason"]) for each in caplog.records)
    assert told == [("7", failure.reason), ("8", failure.reason)]


@in_a_loop
async def test_what_a_model_says_of_its_failure_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """However much it says, the log's line is short."""
    asked = predictor(Memory(), plan(routing(release(7)), _7=FakeSlot(ModelDied("x" * 10_000))))
    with pytest.raises(ModelDied):
        await asked.answer(row(), REQUEST_ID, None)
    assert vars(caplog.records[0])["reason"] == "x" * REASON_MAX


@pytest.mark.parametrize("output", [*FAILURES, *BROKEN])
@in_a_loop
async def test_an_honest_refusal(output: Any) -> None:
    """Without another real release there is an error: never the stand-in, and nothing on record."""
    spool = Memory()
    with pytest.raises(StopgapError) as caught:
        await predictor(spool, plan(routing(release(7)), _7=FakeSlot(output))).answer(
            row(), REQUEST_ID, None
        )
    expected = output if isinstance(output, StopgapError) else PredictionFailed("")
    assert caught.value.code == expected.code
    assert spool.bodies == []


@pytest.mark.parametrize("output", [*FAILURES, *BROKEN])
@in_a_loop
async def test_the_previous_release_answers_for_the_live_one(output: Any) -> None:
    """Where the live release fails or breaks the promise, the real one before it answers."""
    spool = Memory()
    who = routing(release(7), previous=release(6, "retired"))
    answered = await predictor(spool, plan(who, _7=FakeSlot(output), _6=FakeSlot(2600))).answer(
        row(), REQUEST_ID, None
    )
    assert answered == (2600, b"2600", "6")
    assert decode(spool.bodies[0]).release == "6"


@pytest.mark.parametrize("allowed", [True, False])
@in_a_loop
async def test_the_stand_in_only_where_the_operator_has_said_so(allowed: bool) -> None:
    """The stand-in answers for a failed model if, and only if, that was allowed; under its name."""
    who = routing(release(7), stand_in_fallback=allowed)
    asking = predictor(Memory(), plan(who, _7=FakeSlot(ModelDied("x")))).answer(
        row(), REQUEST_ID, None
    )
    if allowed:
        assert await asking == (2000, b"2000", "stand-in")
    else:
        with pytest.raises(ModelDied):
            await asking


@pytest.mark.parametrize("live", [0, 7])
@pytest.mark.parametrize("output", [*FAILURES, *BROKEN])
@in_a_loop
async def test_the_live_release_answers_for_a_canary(output: Any, live: int) -> None:
    """Who was chosen for a canary that fails has the live release's answer, the stand-in's too."""
    who = routing(release(live), canary=release(8, "canary", percent=100))
    slots = {"_8": FakeSlot(output)} | ({"_7": FakeSlot(2700)} if live else {})
    answered = await predictor(Memory(), plan(who, **slots)).answer(row(), REQUEST_ID, None)
    assert answered.release == ("7" if live else "stand-in")


@in_a_loop
async def test_what_cannot_be_loaded() -> None:
    """A live release that could not be loaded is a failed one: never the stand-in in its place."""
    with pytest.raises(ModelUnavailable):
        await predictor(Memory(), plan(routing(release(7)))).answer(row(), REQUEST_ID, None)
    who = routing(release(7), previous=release(6, "retired"))
    answered = await predictor(Memory(), plan(who, _6=FakeSlot(2600))).answer(
        row(), REQUEST_ID, None
    )
    assert answered.release == "6"


@in_a_loop
async def test_what_is_not_known() -> None:
    """Where it was never known who is to answer nobody does, least of all the stand-in.

    Nor is that counted as a failure of the stand-in's.
    """
    served = predictor(Memory(), Plan(None))
    with pytest.raises(ModelUnavailable):
        await served.answer(row(), REQUEST_ID, None)
    assert {release for _, _, release, _ in served._metrics.of_all().counts} == {"unknown"}


@in_a_loop
async def test_a_canary_has_its_share() -> None:
    """Of a thousand inputs some tenth goes to a canary of 10 percent, the same ones each time."""
    who = routing(release(7), canary=release(8, "canary", percent=10))
    served = predictor(Memory(), plan(who, _7=FakeSlot(), _8=FakeSlot()))

    async def ask_all() -> list[str]:
        asked = [served.answer(row(visits), REQUEST_ID, None) for visits in range(1_000)]
        return [answered.release for answered in await asyncio.gather(*asked)]

    first = await ask_all()
    assert 60 < first.count("8") < 140  # both ends have odds of one in ten thousand
    assert await ask_all() == first


def hanging(deadline: float, **others: Any) -> Routing:
    """Make a routing whose live release has a deadline."""
    return routing(release(7, deadline=deadline), **others)


@in_simulated_time
async def test_another_answers_by_the_deadline_of_the_first() -> None:
    """A hanging release is given up in time for another: the client has an answer by then."""
    who = hanging(0.3, previous=release(6, "retired"))
    hung = FakeSlot(held=True)
    began = asyncio.get_running_loop().time()
    answered = await predictor(Memory(), plan(who, _7=hung, _6=FakeSlot(2600))).answer(
        row(), REQUEST_ID, None
    )
    assert answered.release == "6"
    assert 0.2 < asyncio.get_running_loop().time() - began < 0.3
    assert hung.waiting == 0


@in_simulated_time
async def test_two_that_hang() -> None:
    """If both hang, the client is told by the deadline of the first, with its error."""
    who = hanging(0.3, previous=release(6, "retired", deadline=30.0))
    slots = {"_7": FakeSlot(held=True), "_6": FakeSlot(held=True)}
    began = asyncio.get_running_loop().time()
    with pytest.raises(ModelLate):
        await predictor(Memory(), plan(who, **slots)).answer(row(), REQUEST_ID, None)
    assert asyncio.get_running_loop().time() - began < 0.4


@pytest.mark.parametrize(
    ("helper", "counted"),
    [(FakeSlot(held=True), {"7"}), (FakeSlot(ModelDied("x")), {"7", "6"})],
    ids=["hangs", "dies"],
)
@in_simulated_time
async def test_who_helps_has_no_time_to_be_late(helper: FakeSlot, counted: set[str]) -> None:
    """Who is asked with what is left of another's time is not counted late, but is as failed."""
    who = hanging(0.3, previous=release(6, "retired"))
    served = predictor(Memory(), plan(who, _7=FakeSlot(held=True), _6=helper))
    with pytest.raises(ModelLate):
        await served.answer(row(), REQUEST_ID, None)
    told = served._metrics.of_all().counts
    assert {name for _, _, name, outcome in told if outcome != "ok"} == counted


@in_simulated_time
async def test_who_would_be_late_is_refused_at_once() -> None:
    """When more wait than can be answered in time, others are told so, without another's help."""
    slow = FakeSlot(held=True)
    who = hanging(1.0, previous=release(6, "retired"))
    served = predictor(Memory(), plan(who, _7=slow, _6=FakeSlot()))
    waiting = [asyncio.create_task(served.answer(row(), REQUEST_ID, None)) for _ in range(200)]
    await asyncio.sleep(0.3)
    waiting.pop().cancel()
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    with pytest.raises(ModelBusy):
        await served.answer(row(), REQUEST_ID, None)
    assert asyncio.get_running_loop().time() - began < 0.05
    slow.gate.set()
    assert {each.release for each in await asyncio.gather(*waiting)} == {"7"}


class Full(Memory):
    """A spool without room."""

    def append(self, body: bytes) -> None:  # noqa: ARG002  # nothing is kept
        """Refuse."""
        raise SpoolUnwritable("No space left on device")


@in_a_loop
async def test_strict_withholds_what_cannot_be_recorded() -> None:
    """Strict: without a record there is no answer, whatever model gave it."""
    of = plan(routing(release(7)), _7=FakeSlot())
    with pytest.raises(SpoolUnwritable):
        await predictor(Full(), of).answer(row(), REQUEST_ID, None)
    lenient = predicting(Full(), strict=False)
    lenient.apply(contract, of)
    found = lenient.awaited(contract)
    assert found is not None
    assert (await found.answer(row(), REQUEST_ID, None)).body == b"3141"


@in_a_loop
async def test_a_plan_knows_who_is_inside() -> None:
    """Who goes by a plan is counted until the answer is there, or the asker has gone."""
    slot = FakeSlot(held=True)
    of = plan(routing(release(7)), _7=slot)
    served = predictor(Memory(), of)
    asking = [asyncio.create_task(served.answer(row(), REQUEST_ID, None)) for _ in range(2)]
    await asyncio.sleep(0)
    assert of.inside == 2
    asking[0].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert of.inside == 1
    slot.gate.set()
    await asking[1]
    assert of.inside == 0


@in_a_loop
async def test_what_is_withheld_is_counted_as_withheld() -> None:
    """Operators see in the metrics that answers had no record, under the release that gave them."""
    served = predictor(Full(), plan(routing(release(7)), _7=FakeSlot()))
    with pytest.raises(SpoolUnwritable):
        await served.answer(row(), REQUEST_ID, None)
    told = served._metrics.of_all().counts
    assert {key[1:] for key, counts in told.items() if sum(counts)} == {
        (contract.name, "7", SpoolUnwritable.code)
    }


@in_simulated_time
async def test_busy_is_counted_as_shed() -> None:
    """Who is refused because too many wait is among the shed requests that operators watch."""
    slow = FakeSlot(held=True)
    served = predictor(Memory(), plan(hanging(1.0), _7=slow))
    waiting = [asyncio.create_task(served.answer(row(), REQUEST_ID, None)) for _ in range(200)]
    await asyncio.sleep(0.3)
    waiting.pop().cancel()
    await asyncio.sleep(0)
    with pytest.raises(ModelBusy):
        await served.answer(row(), REQUEST_ID, None)
    assert served._metrics.of_all().counts["stopgap_shed_total", ModelBusy.code] == [1]
    slow.gate.set()
    await asyncio.gather(*waiting)


@in_simulated_time
async def test_a_release_is_judged_by_all_that_it_was_asked() -> None:
    """Good answers count as well as failures, and who was refused at once as one that is late."""
    reporter, slow = nobodys_reporter(), FakeSlot(held=True)
    served = predicting(Memory(), clock=LoopClock(), reporter=reporter)
    served.apply(contract, plan(hanging(1.0), _7=slow))
    found = served.awaited(contract)
    assert found is not None
    waiting = [asyncio.create_task(found.answer(row(), REQUEST_ID, None)) for _ in range(200)]
    await asyncio.sleep(0.3)
    waiting.pop().cancel()
    await asyncio.sleep(0)
    with pytest.raises(ModelBusy):
        await found.answer(row(), REQUEST_ID, None)
    slow.gate.set()
    await asyncio.gather(*waiting)
    tally = reporter.counter(contract.name, 7).take()
    assert tally is not None
    assert dict(tally.outcomes) == {"ok": 199, "late": 1}
