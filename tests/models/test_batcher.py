"""Natural batching: all that waits goes together, nobody waits for nothing, nobody is forgotten."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.front.loops import in_simulated_time
from tests.models.slots import row

from stopgap.contracts.row import Row
from stopgap.models.batcher import Batcher
from stopgap.models.failures import ModelDied, ModelFailed, ModelLate, ModelRaised, ModelUnavailable
from stopgap.models.gathering import BREATH, GAP

ROWS = [row(number) for number in range(20)]
NUMBER = {id(each): number for number, each in enumerate(ROWS)}


class Bench:
    """A model that answers when the test says so, with each row's number."""

    def __init__(self, *, most: int = 8, deadline: float = 5.0) -> None:
        self.calls: list[list[int]] = []
        self.wholes: list[bool] = []
        self.overdue = 0
        self._most = most
        self._deadline = deadline
        self.begin()

    def begin(self) -> None:
        """Load a model, which is free."""
        self.batcher = Batcher(
            asyncio.get_running_loop(),
            send=self._send,
            overdue=self._count,
            bring=lambda output: output * 10,
            most=self._most,
            deadline=self._deadline,
        )

    def _send(self, rows: Sequence[Row], whole: bool) -> None:  # as it is called
        self.calls.append([NUMBER[id(each)] for each in rows])
        self.wholes.append(whole)

    def _count(self) -> None:
        self.overdue += 1

    def ask(self, number: int) -> asyncio.Future[Any]:
        """Ask for one row."""
        return self.batcher.ask((ROWS[number],), whole=False)

    def answer(self) -> None:
        """Answer the last call."""
        self.batcher.answered(list(self.calls[-1]))

    def die(self) -> None:
        """Have the model die; all who asked are told."""
        self.batcher.end(lambda: ModelDied("crash"))
        self.batcher.refuse(lambda: ModelUnavailable("gone", 1.0))


async def turn() -> None:
    """Let the event loop come round."""
    for _ in range(3):
        await asyncio.sleep(0)


@in_simulated_time
async def test_what_arrives_together_goes_together() -> None:
    """A free model is asked within the same turn, with all that has arrived in it."""
    bench = Bench()
    asked = [bench.ask(number) for number in range(3)]
    await turn()
    assert bench.calls == [[0, 1, 2]]
    assert bench.batcher.waiting == 3
    bench.answer()
    assert [await each for each in asked] == [0, 10, 20]
    assert bench.batcher.waiting == 0


@in_simulated_time
async def test_a_full_batch_goes_first() -> None:
    """Where a full batch waits, the model has it before anybody who was answered goes on."""
    bench = Bench(most=2)
    for number in range(4):
        bench.ask(number)
    await turn()
    bench.answer()
    assert bench.calls == [[0, 1], [2, 3]]


@in_simulated_time
async def test_what_waits_goes_as_one_batch() -> None:
    """While the model is busy rows wait; then they go, in their order, up to the limit."""
    bench = Bench(most=3)
    bench.ask(0)
    await turn()
    asked = [bench.ask(number) for number in range(1, 6)]
    await turn()
    assert bench.calls == [[0]]
    bench.answer()
    await asyncio.sleep(0.02)
    assert bench.calls == [[0], [1, 2, 3]]
    bench.answer()
    await asyncio.sleep(0.02)
    assert bench.calls == [[0], [1, 2, 3], [4, 5]]
    bench.answer()
    assert [await each for each in asked] == [10, 20, 30, 40, 50]


@in_simulated_time
async def test_nobody_is_asked_for_who_has_gone() -> None:
    """A row whose caller has gone while it waited is not sent to the model."""
    bench = Bench()
    bench.ask(0)
    await turn()
    gone = bench.ask(1)
    bench.ask(2)
    gone.cancel()
    bench.answer()
    await asyncio.sleep(0.02)
    assert bench.calls == [[0], [2]]


@in_simulated_time
async def test_those_who_were_just_answered_may_join() -> None:
    """After a batch the model takes a short breath, and goes on as soon as all are there again."""
    bench = Bench()
    bench.ask(0)
    await turn()
    bench.ask(1)
    await asyncio.sleep(0.3)
    bench.answer()
    await turn()
    assert len(bench.calls) == 1
    bench.ask(2)
    assert bench.calls[1:] == [[1, 2]]


async def next_call(bench: Bench, began: float) -> float:
    """Wait for the second call; tell how long it took to come."""
    while len(bench.calls) < 2:  # noqa: ASYNC110  # nothing tells when a call is made
        await asyncio.sleep(0.001)
    return asyncio.get_running_loop().time() - began


@in_simulated_time
async def test_nobody_is_awaited_for_long() -> None:
    """Where nobody joins, those who wait go after a share of the last call."""
    loop = asyncio.get_running_loop()
    bench = Bench()
    bench.ask(0)
    await turn()
    bench.ask(1)
    await asyncio.sleep(0.5)
    bench.answer()
    assert await next_call(bench, loop.time()) < 0.5 * GAP + 0.1


@in_simulated_time
async def test_the_breath_has_an_end() -> None:
    """However many go on joining, the next call comes after a share of the last one."""
    loop = asyncio.get_running_loop()
    bench = Bench(most=20)
    for number in range(10):
        bench.ask(number)
    await turn()
    bench.ask(10)
    await asyncio.sleep(0.5)
    began = loop.time()
    bench.answer()
    joining = asyncio.create_task(join_slowly(bench))
    assert 0.5 * GAP < await next_call(bench, began) < 0.5 * BREATH + 0.1
    joining.cancel()
    assert len(bench.calls[1]) > 2


async def join_slowly(bench: Bench) -> None:
    """Have one more ask now and then."""
    for number in range(11, 19):
        await asyncio.sleep(0.06)
        bench.ask(number)


@in_simulated_time
async def test_a_caller_alone_waits_for_nobody() -> None:
    """Who asks again after having been answered alone is asked for at once."""
    bench = Bench()
    for number in range(3):
        bench.ask(number)
        await turn()
        assert bench.calls[number:] == [[number]]
        await asyncio.sleep(0.05)
        bench.answer()
        await turn()


@in_simulated_time
async def test_late_rows_are_told_in_time() -> None:
    """A row's caller is told by the deadline, waiting or in flight; an endless call is reported."""
    loop = asyncio.get_running_loop()
    bench = Bench(deadline=0.1)
    began = loop.time()
    first = bench.ask(0)
    await turn()
    second = bench.ask(1)
    for each in (first, second):
        assert isinstance(await failure_of(each), ModelLate)
    assert loop.time() - began < 0.15
    await asyncio.sleep(0.02)
    assert bench.overdue == 1
    bench.die()
    bench.begin()
    third = bench.ask(2)
    await turn()
    assert bench.calls == [[0], [2]]
    bench.answer()
    assert await third == 20


async def failure_of(asked: asyncio.Future[Any]) -> ModelFailed | None:
    """Wait for a failure."""
    try:
        await asked
    except ModelFailed as failure:
        return failure
    return None


@in_simulated_time
async def test_a_whole_goes_alone() -> None:
    """A batch that is to be one call shares it with nobody, and may be longer than the limit."""
    bench = Bench(most=2)
    before = bench.ask(0)
    whole = bench.batcher.ask(ROWS[1:5], whole=True)
    after = bench.ask(5)
    await turn()
    assert (bench.calls, bench.wholes) == ([[0]], [False])
    for _ in range(2):
        bench.answer()
        await asyncio.sleep(0.02)
    assert (bench.calls[1:], bench.wholes[1:]) == ([[1, 2, 3, 4], [5]], [True, False])
    bench.answer()
    assert (await before, await whole, await after) == (0, [10, 20, 30, 40], 50)


@in_simulated_time
async def test_a_failure_is_its_rows_own() -> None:
    """A failed row's caller gets the failure, the others their answers; a whole gets both."""
    bench = Bench()
    bad, good = bench.ask(0), bench.ask(1)
    await turn()
    bench.batcher.answered([ModelRaised("no"), 1])
    assert isinstance(await failure_of(bad), ModelRaised)
    assert await good == 10
    whole = bench.batcher.ask(ROWS[:2], whole=True)
    await turn()
    raised = ModelRaised("no")
    bench.batcher.answered([raised, 1])
    assert await whole == [raised, 10]


@in_simulated_time
async def test_whoever_is_left_is_told() -> None:
    """When the model is gone, those in flight and those who wait are told, each what is so."""
    bench = Bench()
    flying = bench.ask(0)
    await turn()
    waiting = bench.ask(1)
    bench.die()
    assert isinstance(await failure_of(flying), ModelDied)
    assert isinstance(await failure_of(waiting), ModelUnavailable)
    assert bench.batcher.waiting == 0
    await asyncio.sleep(10)
    assert (bench.calls, bench.overdue) == ([[0]], 0)


@in_simulated_time
async def test_a_call_may_outlast_those_who_waited() -> None:
    """What waits can be refused while a call goes on, which is answered all the same."""
    bench = Bench()
    flying = bench.ask(0)
    await turn()
    waiting = bench.ask(1)
    bench.batcher.refuse(lambda: ModelUnavailable("stopped", 0.0))
    assert isinstance(await failure_of(waiting), ModelUnavailable)
    assert (bench.batcher.flying, bench.batcher.waiting) == (1, 1)
    bench.answer()
    assert await flying == 0


@in_simulated_time
async def test_nobody_goes_to_a_model_that_is_gone() -> None:
    """One who has asked in the turn in which the model goes is refused, and asked for no more."""
    bench = Bench()
    asked = bench.ask(0)
    bench.die()
    assert isinstance(await failure_of(asked), ModelUnavailable)
    await turn()
    assert bench.calls == []


class Play:
    """Things that happen to a batcher, and what everybody who asked is to get."""

    def __init__(self) -> None:
        self.bench = Bench(most=3)
        self.asked: list[tuple[Any, asyncio.Future[Any]]] = []

    async def ask(self, number: int) -> None:
        """Somebody asks for a row."""
        self.asked.append((number * 10, self.bench.ask(number)))

    async def whole(self, number: int) -> None:
        """Somebody asks for two rows at once."""
        future = self.bench.batcher.ask([ROWS[number]] * 2, whole=True)
        self.asked.append(([number * 10] * 2, future))

    async def leave(self, number: int) -> None:
        """Somebody is gone."""
        if self.asked:
            self.asked[number % len(self.asked)][1].cancel()

    async def turn(self, _number: int) -> None:
        """Time goes by."""
        await turn()

    async def answer(self, _number: int) -> None:
        """Have the model answer."""
        if self.bench.batcher.flying:
            self.bench.answer()

    async def fail(self, _number: int) -> None:
        """Have the model die, and another take its place."""
        self.bench.die()
        self.bench.begin()

    async def refuse(self, _number: int) -> None:
        """Turn away those who wait."""
        self.bench.batcher.refuse(lambda: ModelUnavailable("gone", 1.0))

    async def end(self) -> None:
        """Let the model answer all that is left."""
        while self.bench.batcher.waiting:
            await asyncio.sleep(0.001)
            await self.answer(0)
        self.bench.die()


HAPPENINGS = [Play.ask, Play.whole, Play.leave, Play.turn, Play.answer, Play.fail, Play.refuse]


@given(happenings=st.lists(st.sampled_from([*HAPPENINGS, Play.ask, Play.ask]), max_size=40))
@in_simulated_time
async def test_nobody_is_forgotten(happenings: list[Any]) -> None:
    """Whatever happens in whatever order, each asker gets one outcome, and it is its own."""
    play = Play()
    for place, happening in enumerate(happenings):
        await happening(play, place % len(ROWS))
    await play.end()
    for expected, future in play.asked:
        assert future.done()
        if not future.cancelled() and future.exception() is None:
            assert future.result() == expected


@in_simulated_time
async def test_a_call_that_nobody_awaits_any_more() -> None:
    """A model that hangs is seen to after the deadline, though its callers have gone by then."""
    bench = Bench()
    first = bench.ask(0)
    await asyncio.sleep(4)
    bench.answer()
    assert await first == 0
    second = bench.ask(1)
    await asyncio.sleep(0.5)
    second.cancel()
    await asyncio.sleep(5)
    assert (bench.calls, bench.overdue) == ([[0], [1]], 1)
