"""Replay: what was asked is asked again, and what means nothing any more is left out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from stopgap.contracts.madcompany import contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelRaised, ModelUnloadable
from stopgap.models.loaded import Loaded
from stopgap.models.specification import Specification
from stopgap.releases.replay import FAILURES, Recorded, Replay, replay

SPECIFICATION = Specification(uri="python:a:b", batch=4)
INPUTS = b'{"seller_available":%d,"month":"may","customer_visiting_website":0}'


class Slot:
    """A model that adds sellers to 2000, cannot do 13, and answers 20 out of range."""

    waiting = 0
    memory = 0
    trouble = None

    def __init__(self, *, loads: bool = True) -> None:
        self._loads = loads
        self.stopped = False
        self.calls: list[int] = []

    async def start(self) -> Loaded:
        """Load, or not."""
        if not self._loads:
            raise ModelUnloadable("no")
        return Loaded(seconds=0.1, kind="python")

    async def answer(self, row: Row) -> Any:
        """Answer one."""
        return (await self.answer_batch([row]))[0]

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer a batch, or none of it."""
        self.calls.append(len(rows))
        sellers = [row.inputs.model_dump()["seller_available"] for row in rows]
        if 13 in sellers:
            return [ModelRaised("unlucky")] * len(rows)
        return [9_999 if each == 20 else 2_000 + each for each in sellers]

    async def stop(self) -> None:
        """Stop."""
        self.stopped = True


def replayed(slot: Slot, records: Sequence[Recorded]) -> Replay:
    """Replay records on a slot."""
    told: list[int] = []
    found = asyncio.run(
        replay(slot, contract, SPECIFICATION, records, number=3, progress=told.append)
    )
    assert told == sorted(told)
    return found


def asked(*sellers: int) -> list[Recorded]:
    """Make records whose answers were 2010, always."""
    return [Recorded(inputs=INPUTS % each, output=2_010) for each in sellers]


def test_answers_beside_those_that_were_given() -> None:
    """Every request is asked once more, in batches, and its answers are compared."""
    slot = Slot()
    found = replayed(slot, asked(*range(10)))
    assert (found.tally.number, found.tally.outcomes, found.failures) == (3, {"ok": 10}, [])
    assert (found.comparison.compared, found.comparison.spreads[""].total) == (10, -55)
    assert (slot.calls, slot.stopped) == ([4, 4, 2], True)


def test_failures_are_told() -> None:
    """A request that the model cannot answer costs no other of its batch; breaches are told."""
    found = replayed(Slot(), asked(12, 13, 14, 20))
    assert found.tally.outcomes == {"ok": 2, "raised": 1, "breach": 1}
    assert found.comparison.compared == 2
    assert found.failures[0][1] == "unlucky"
    assert "it is 9999" in found.failures[1][1]
    many = replayed(Slot(), asked(*[13] * 50))
    assert (len(many.failures), many.tally.failures) == (FAILURES, 50)


@pytest.mark.parametrize(
    "record",
    [
        Recorded(inputs=b'{"size":1}', output=3_000),
        Recorded(inputs=b"no JSON", output=3_000),
        Recorded(inputs=INPUTS % 1, output=9_999),
        Recorded(inputs=INPUTS % 1, output=None),
    ],
)
def test_what_the_contract_allows_no_more(record: Recorded) -> None:
    """Records from before the contract changed are counted, and not asked."""
    found = replayed(Slot(), [record, *asked(1)])
    assert (found.unreadable, found.tally.requests) == (1, 1)


def test_what_cannot_be_loaded() -> None:
    """A model that cannot be loaded is said to be so, and leaves nothing behind."""
    slot = Slot(loads=False)
    with pytest.raises(ModelUnloadable):
        replayed(slot, asked(1))
    assert slot.stopped


def test_its_time_is_over() -> None:
    """What was replayed until then is told, also when a batch is being asked row by row."""

    class Weary(Slot):
        async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
            if len(rows) == 1:
                await asyncio.sleep(0.1)
            return await super().answer_batch(rows)

    slot = Weary()
    records = [replace(each, drawn=True) for each in asked(1, 2, 3, 4, 13, 6, 7, 8, 9)]
    found = asyncio.run(
        replay(
            slot,
            contract,
            SPECIFICATION,
            records,
            number=3,
            seconds=0.2,
            progress=lambda _done: None,
        )
    )
    assert found.tally.outcomes == {"ok": 4}
    assert (found.drawn, found.time_over) == (4, True)
    assert slot.stopped
    assert not replayed(Slot(), records).time_over


def test_a_slow_load_takes_nothing_of_the_time() -> None:
    """A model that needs minutes to be loaded is asked for as long as any other."""

    class Heavy(Slot):
        async def start(self) -> Loaded:
            await asyncio.sleep(0.3)
            return await super().start()

    found = asyncio.run(
        replay(
            Heavy(),
            contract,
            SPECIFICATION,
            asked(1, 2),
            number=3,
            seconds=0.2,
            progress=lambda _done: None,
        )
    )
    assert (found.tally.outcomes, found.time_over) == ({"ok": 2}, False)
