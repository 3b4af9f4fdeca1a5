"""Slots that a test plays: they answer, wait, fail or hang as they are told to."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from tests.fakes import FakeClock

from stopgap.clock import Clock
from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelFailed, ModelUnavailable
from stopgap.models.loaded import Loaded
from stopgap.models.slot import Slot
from stopgap.models.specification import Specification
from stopgap.predicting.engine import Engine
from stopgap.predicting.instant import InstantModel
from stopgap.predicting.predicting import Predicting
from stopgap.releases.comparing import Comparison
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.release import Release, Stage, stand_in_release
from stopgap.releases.reporting import Reporter
from stopgap.releases.routing import Routing
from stopgap.releases.tally import Tally
from stopgap.releases.trouble import Troubles
from stopgap.telemetry.metrics import Metrics

REQUEST_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def row(visits: int = 100) -> Row:
    """Make the row of a request."""
    return Row.of(Sales(seller_available=5, month="january", customer_visiting_website=visits))


class FakeSlot:
    """A slot that gives one output, or fails with one error, at once or when it is released."""

    def __init__(self, output: Any = 3141, *, held: bool = False) -> None:
        self.output = output
        self.gate = asyncio.Event()
        if not held:
            self.gate.set()
        self.asked: list[Row] = []
        self.batches: list[int] = []  # how many were asked together
        self._gathering = False
        self.stopped = False
        self.waiting = 0
        self.memory = 0
        self.trouble: str | None = None

    async def start(self) -> Loaded:
        """Be there."""
        return Loaded(seconds=0.0, kind="python")

    async def answer(self, row: Row) -> Any:
        """Answer, or fail."""
        self.asked.append(row)
        self._gather()
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.stopped:
            raise ModelUnavailable("it has been stopped", 1.0)
        if isinstance(self.output, ModelFailed):
            raise self.output
        return self.output

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer all, or fail."""
        self.batches.append(len(rows))
        await self.gate.wait()
        if isinstance(self.output, ModelFailed):
            raise self.output
        return [self.output] * len(rows)

    async def stop(self) -> None:
        """Be gone."""
        self.stopped = True
        self.gate.set()

    def _gather(self) -> None:
        """Count who asks in one turn of the event loop as one batch, as slots do."""
        if not self._gathering:
            self._gathering = True
            self.batches.append(0)
            asyncio.get_running_loop().call_soon(self._gathered)
        self.batches[-1] += 1

    def _gathered(self) -> None:
        self._gathering = False


class Memory:
    """A spool in memory."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def append(self, body: bytes) -> None:
        """Keep a record."""
        self.bodies.append(body)


class Drawn:
    """A stand-in that always draws the same."""

    def predict(self, rows: Sequence[Row]) -> Sequence[int]:
        """Answer each row with the least that is promised."""
        return [2000] * len(rows)


def release(number: int, stage: Stage = "live", **changed: Any) -> Release:
    """Make a release of MadCompany's contract; 0 is the stand-in."""
    if number == 0:
        return stand_in_release(contract.name, contract.fingerprint, stage)
    usual = {"percent": 0.0, "sticky": "inputs", "deadline": 1.0, "batch": 64, "in_process": False}
    told: dict[str, Any] = usual | changed
    return Release(
        contract=contract.name,
        number=number,
        fingerprint=contract.fingerprint,
        specification=Specification(
            uri=f"python:shop:model_{number}",
            deadline=told["deadline"],
            batch=told["batch"],
            in_process=told["in_process"],
        ),
        stage=stage,
        percent=told["percent"],
        sticky=told["sticky"],
    )


def routing(live: Release, **others: Any) -> Routing:
    """Make a routing of MadCompany's contract."""
    return Routing(contract=contract.name, version=1, live=live, **others)


def releases_of(routing: Routing) -> list[Release]:
    """List the releases of a routing."""
    all_of_them = (routing.live, routing.canary, *routing.shadows, routing.previous)
    return [each for each in all_of_them if each is not None]


def plan(routing: Routing, **slots: Slot) -> Plan:
    """Make a plan: `plan(routing, _1=slot)`; a shadow's slot is `background_3=`."""
    releases = {each.number: each for each in releases_of(routing)}
    slotted = {}
    for name, slot in slots.items():
        kind, _, number = name.rpartition("_")
        key = SlotKey.of(releases[int(number)], background=kind == "background")
        assert key is not None
        slotted[key] = slot
    return Plan(routing, slotted)


class Nobody:
    """Takes what was counted, and judges nothing."""

    def tally(self, worker: str, tallies: Collection[Tally]) -> None:
        """Forget it."""

    def compare(
        self, contract: str, number: int, against: int, worker: str, comparison: Comparison
    ) -> None:
        """Forget it."""

    def trouble(self, worker: str, troubles: Troubles) -> None:
        """Forget it."""

    def judge(self, contract: str) -> None:  # of none
        """Judge nothing."""


def nobodys_reporter() -> Reporter:
    """Count for nobody."""
    return Reporter(Nobody(), lambda *_: False, "worker")


def predicting(
    spool: Memory,
    *,
    clock: Clock | None = None,
    reporter: Reporter | None = None,
    strict: bool = True,
) -> Predicting:
    """Serve MadCompany's contract by a stand-in, until a plan is applied."""
    return Predicting(
        [InstantModel(contract=contract, name="stand-in", model=Drawn())],
        clock=clock or FakeClock(),
        spool=spool,
        strict=strict,
        metrics=Metrics(),
        engine=Engine(),
        reporter=reporter or nobodys_reporter(),
    )
