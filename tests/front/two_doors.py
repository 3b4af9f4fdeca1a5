"""One application behind two doors: one with the lanes for what is plain, and one without."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model
from tests.front.loops import parent
from tests.predicting.slots import FakeSlot, nobodys_reporter, releases_of

from stopgap import wiring
from stopgap.accounts.recent import Credential
from stopgap.clock import SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.front.admission import InFlightLimit
from stopgap.front.asgi import Message, Scope
from stopgap.front.door import Door
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake
from stopgap.front.leaving import Leaving
from stopgap.front.lifespan import Lifespan
from stopgap.front.pool import Pool, Pools
from stopgap.front.sending import Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.waiting import WaitingLane
from stopgap.journal.record import decode
from stopgap.models.failures import ModelDied, ModelLate, ModelRaised, ModelUnavailable
from stopgap.models.specification import Specification
from stopgap.models.stand_in import StableStandIn
from stopgap.parts import Parts
from stopgap.predicting.engine import nothing
from stopgap.predicting.instant import InstantModel
from stopgap.predicting.predicting import Predicting
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.release import STAND_IN, Release, Stage
from stopgap.releases.routing import Routing
from stopgap.settings import Settings
from stopgap.telemetry.metrics import Metrics
from stopgap.web import app as web
from stopgap.web.callers import look_up


class Stay(BaseModel):
    """Inputs of every plain kind, one of them optional and outside the path."""

    nights: Annotated[int, Field(ge=-3, le=28)]
    late: bool
    room: Literal["single", "double"] = "single"


stay = Contract(
    name="stay", version="1.0.0", path="/stay/{late}/{nights}", inputs=Stay, output=Stay
)

few = Annotated[int, Field(ge=0, le=9)]
oddly_named: dict[str, Any] = {"count": (few, ...), '5" pipe, %b': (few, 3)}
pipes = Contract(
    name="pipes",
    version="1.0.0",
    path="/pipes",
    inputs=create_model("Pipes", **oddly_named),
    output=few,
)


class Records:
    """A spool that keeps its records in memory."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.broken = False

    def append(self, body: bytes) -> None:
        """Keep a record, or fail as nobody has foreseen."""
        if self.broken:
            raise ZeroDivisionError
        self.bodies.append(body)

    def take(self) -> list[tuple[Any, ...]]:
        """Hand over what was kept, but for ids, times and latencies."""
        taken = [decode(body) for body in self.bodies]
        self.bodies.clear()
        return [(r.contract, r.fingerprint, r.release, r.caller, r.inputs, r.output) for r in taken]


class NoLane(ExpressLane):
    """A lane that nobody takes."""

    def answer(self, scope: Scope) -> None:  # it is no answer to anything
        """Leave every request to Flask."""

    def answer_json(self, scope: Scope, body: bytes) -> None:  # the same
        """Leave every body to Flask."""


class NoWaiting(WaitingLane):
    """A lane in which nobody waits."""

    def recognise(self, scope: Scope) -> None:  # it is no answer to anything
        """Leave every request to Flask."""

    def recognise_json(self, scope: Scope, body: bytes) -> None:  # the same
        """Leave every body to Flask."""


class Moody(FakeSlot):
    """A model that gives the same inputs the same answer, or the same failure, each time."""

    def __init__(self, contract: Contract, name: str) -> None:
        super().__init__()
        self._model = StableStandIn(contract)
        self._name = name.encode()

    async def answer(self, row: Row) -> Any:
        """Answer, fail, or break the promise."""
        await asyncio.sleep(0)
        mood = hashlib.sha256(self._name + row.json).digest()[0]
        failures = [ModelRaised("x"), ModelLate("x"), ModelDied("x"), ModelUnavailable("x", 7.0)]
        if mood < 100:
            raise failures[mood % 4]
        return self._model.predict((row,))[0] if mood > 120 else "nothing of the kind"


class Counting:
    """An application that counts how often it is asked, or for a caller; it can be made to wait."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self.calls = 0
        self.looked_up = 0
        self.open = Event()
        self.open.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Count, and pass on."""
        self.calls += 1
        self.open.wait()
        return self._app(environ, start_response)

    def look_up(self, parts: Parts, credential: Credential) -> StopgapError | None:
        """Count, and look a caller up."""
        self.looked_up += 1
        self.open.wait()
        return look_up(parts, credential)


class Patient(Pools):
    """Pools in which nobody is refused who waits: another process may have the machine."""

    def of(self, method: str, path: str) -> Pool:
        """Tell the pool of a request."""
        pool = super().of(method, path)
        pool._patience = 60.0
        return pool


@dataclass(kw_only=True)
class House:
    """One application behind two doors."""

    app: Counting
    with_lane: Door
    without: Door
    lane: ExpressLane
    waiting: WaitingLane
    awaited: bool
    closed: bool
    records: Records
    loop: asyncio.AbstractEventLoop
    identities: list[list[tuple[bytes, bytes]]] = field(default_factory=list)

    def ask(self, door: Door, scope: Scope, body: bytes) -> tuple[Any, ...]:
        """Send a request through a door; return what comes back but for ids and times."""
        start, *sent = self.loop.run_until_complete(self.sent(door, scope, body))
        headers = [pair for pair in start["headers"] if pair[0] != b"x-request-id"]
        content = b"".join(message.get("body", b"") for message in sent)
        return start["status"], headers, without_ids(content), self.records.take()

    async def sent(self, door: Door, scope: Scope, body: bytes) -> list[Message]:
        """Send a request through a door; return what comes back."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await door(scope, receive, send)
        return sent

    def ask_at_once(self, number: int, scope: Scope, body: bytes) -> list[int]:
        """Send a request so many times at the same moment; return the answers' statuses."""

        async def crowd() -> list[list[Message]]:
            self.app.open.clear()
            asked = asyncio.gather(*(self.sent(self.with_lane, scope, body) for _ in range(number)))
            await asyncio.sleep(0.05)  # each goes as far as it can
            self.app.open.set()
            return await asked

        answers = self.loop.run_until_complete(crowd())
        self.records.take()
        return [messages[0]["status"] for messages in answers]


UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def without_ids(content: bytes) -> bytes:
    """Cut out the ids that a problem tells."""
    return UUID.sub(b"(an id)", content)


@contextmanager
def two_doors(folder: Path, *, awaited: bool, closed: bool) -> Iterator[House]:
    """Build an application behind a door with lanes, and behind one without."""
    contracts = ("stopgap.contracts.madcompany:contract", f"{__file__}:stay", f"{__file__}:pipes")
    settings = Settings(data=folder, contracts=contracts, stand_in="stable")
    if closed:
        settings = replace(settings, predictions="signed-in")
    prepared = wiring.prepare(settings)
    parts, records = with_records(wiring.build_parts(prepared))
    app = Counting(web.create_app(parts))
    shared: dict[str, Any] = {
        "closed": closed,
        "predicting": parts.predicting,
        "recent": parts.recent,
        "ids": parts.ids,
        "metrics": parts.metrics,
    }
    lane = ExpressLane(parts.contracts, **shared)
    waiting = WaitingLane(parts.contracts, **shared)
    with_lane = door(app, lane, waiting, parts)
    without = door(
        app, NoLane(parts.contracts, **shared), NoWaiting(parts.contracts, **shared), parts
    )
    with asyncio.Runner() as runner:
        parts.engine.carry(nothing, nothing)
        runner.run(parts.engine.adopt())
        if awaited:
            for each in parts.contracts:
                parts.predicting.apply(each, moody(each))
        yield House(
            app=app,
            with_lane=with_lane,
            without=without,
            lane=lane,
            waiting=waiting,
            awaited=awaited,
            closed=closed,
            records=records,
            loop=runner.get_loop(),
            identities=identities(parts),
        )
    parts.close()


def moody(contract: Contract) -> Plan:
    """Make a plan of models that may fail: a live one, a canary for half, and one before."""
    stages: tuple[tuple[int, Stage], ...] = ((7, "live"), (8, "canary"), (6, "retired"))
    live, canary, before = (
        Release(
            contract=contract.name,
            number=number,
            fingerprint=contract.fingerprint,
            specification=Specification(uri=f"python:shop:model_{number}"),
            stage=stage,
            percent=50.0,
            sticky="inputs",
        )
        for number, stage in stages
    )
    routing = Routing(contract=contract.name, version=1, live=live, canary=canary, previous=before)
    slots = {
        key: Moody(contract, each.name)
        for each in releases_of(routing)
        if (key := SlotKey.of(each))
    }
    return Plan(routing, slots)


def with_records(parts: Parts) -> tuple[Parts, Records]:
    """Have predictions recorded in memory."""
    records = Records()
    instants = [
        InstantModel(contract=each, name=STAND_IN, model=StableStandIn(each))
        for each in parts.contracts
    ]
    predicting = Predicting(
        instants,
        clock=SystemClock(),
        spool=records,
        strict=True,
        metrics=Metrics(),
        engine=parts.engine,
        reporter=nobodys_reporter(),
    )
    return replace(parts, predicting=predicting), records


def door(app: Counting, lane: ExpressLane, waiting: WaitingLane, parts: Parts) -> Door:
    """Put a door in front of an application."""
    prefixes = [contract.prefix for contract in parts.contracts]
    in_flight, intake = InFlightLimit(16), Intake(seconds=5, places=16)
    sending = Sending(parts.ids, places=16)
    return Door(
        app,
        express=lane,
        waiting=waiting,
        quota=None,
        single_flight=SingleFlight(
            prefixes=prefixes, recent=parts.recent, look_up=partial(app.look_up, parts)
        ),
        in_flight=in_flight,
        intake=intake,
        pools=Patient(threads=4, prefixes=prefixes, images=["/images"], image_bytes=100_000),
        sending=sending,
        metrics=parts.metrics,
        lifespan=Lifespan(
            engine=parts.engine,
            chores=[],
            supervisor=parent(),
            leaving=Leaving(
                in_flight=in_flight, intake=intake, sending=sending, end_models=parts.engine.leave
            ),
            close=parts.close,
        ),
    )


def identities(parts: Parts) -> list[list[tuple[bytes, bytes]]]:
    """List the ways to be somebody: nobody, a guest, an account, a key, and some that are not."""
    _, guest = parts.sign_in.sign_in("somebody", "x", "127.0.0.1")
    _, account = parts.sign_in.sign_in("orhan", "12345", "127.0.0.1")
    _, key = parts.keys.create("orhan")
    cookies = [guest, account, "0" * 64, "", 'é"; x=1']
    keys = [key, key[:-1] + "0", "x"]
    found = [[(b"cookie", f"stopgap_session={cookie}".encode("latin-1"))] for cookie in cookies]
    found += [[(b"authorization", f"Bearer {each}".encode())] for each in keys]
    proxys = (b"authorization", b"Basic eDp5")
    found += [[proxys], [(b"cookie", b"theme=dark")]]
    swapped = [[(b"authorization", found[1][0][1])], [(b"cookie", found[5][0][1])]]
    both = [[*found[1], *found[5]], [*found[0], *found[1]], [*found[1], proxys]]
    return [[], *found, *both, [proxys, *found[5]], [*found[7], *found[5]], *swapped]
