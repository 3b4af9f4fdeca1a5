"""The express lane knows nothing that Flask's views do not know: the answers of both are one."""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator
from tests.predicting.slots import FakeSlot

from stopgap import wiring
from stopgap.clock import SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.front.admission import Places
from stopgap.front.answers import Whole
from stopgap.front.door import Door
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake, Message, Scope
from stopgap.front.leaving import Leaving
from stopgap.front.life import Life
from stopgap.front.matching import Matcher
from stopgap.front.pool import Pool, Pools
from stopgap.front.sending import Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.waiting import Asked, WaitingLane
from stopgap.journal.record import decode
from stopgap.models.failures import ModelDied, ModelLate, ModelRaised, ModelUnavailable
from stopgap.models.specification import Specification
from stopgap.models.stand_in import StableStandIn
from stopgap.predicting.engine import nothing
from stopgap.predicting.line import Instant
from stopgap.predicting.predicting import Predicting
from stopgap.releases.plan import Plan, Seat
from stopgap.releases.release import STAND_IN, Release, Stage
from stopgap.releases.routing import Routing
from stopgap.settings import Settings
from stopgap.telemetry.metrics import Metrics
from stopgap.web import app as web
from stopgap.web.parts import Parts


class Stay(BaseModel):
    """Inputs of every plain kind, one of them optional and outside the path."""

    nights: Annotated[int, Field(ge=-3, le=28)]
    late: bool
    room: Literal["single", "double"] = "single"


stay = Contract(
    name="stay", version="1.0.0", path="/stay/{late}/{nights}", inputs=Stay, output=Stay
)


class Records:
    """A spool that keeps its records in memory."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def append(self, body: bytes) -> None:
        """Keep a record."""
        self.bodies.append(body)

    def take(self) -> list[tuple[Any, ...]]:
        """Hand over what was kept, but for ids, times and latencies."""
        taken = [decode(body) for body in self.bodies]
        self.bodies.clear()
        return [(r.contract, r.fingerprint, r.release, r.caller, r.inputs, r.output) for r in taken]


class NoLane(ExpressLane):
    """A lane that nobody takes."""

    def answer(self, scope: Scope) -> Whole | None:  # noqa: ARG002  # it is no answer to anything
        """Leave every request to Flask."""
        return None

    def answer_json(self, scope: Scope, body: bytes) -> Whole | None:  # noqa: ARG002  # the same
        """Leave every body to Flask."""
        return None


class NoWaiting(WaitingLane):
    """A lane in which nobody waits."""

    def asked(self, scope: Scope) -> Asked | None:  # noqa: ARG002  # it is no answer to anything
        """Leave every request to Flask."""
        return None

    def asked_json(self, scope: Scope, body: bytes) -> Asked | None:  # noqa: ARG002  # the same
        """Leave every body to Flask."""
        return None


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
    """An application that counts how often it is called, and can be made to wait."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self.calls = 0
        self.open = Event()
        self.open.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Count, and pass on."""
        self.calls += 1
        self.open.wait()
        return self._app(environ, start_response)


class Patient(Pools):
    """Pools in which nobody is refused who waits: another process may have the machine."""

    def of(self, path: str) -> Pool:
        """Tell the pool of a path."""
        pool = super().of(path)
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


@pytest.fixture(scope="module", params=["instant", "awaited"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Build an application behind a door with lanes, and behind one without."""
    contracts = ("stopgap.contracts.madcompany:contract", f"{__file__}:stay")
    prepared = wiring.prepare(
        Settings(data=tmp_path_factory.mktemp("data"), contracts=contracts, stand_in="stable")
    )
    parts, records = with_records(wiring.build_parts(prepared))
    app = Counting(web.create_app(parts))
    shared: dict[str, Any] = {
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
        if request.param == "awaited":
            for each in parts.contracts:
                parts.predicting.apply(each, moody(each))
        yield House(
            app=app,
            with_lane=with_lane,
            without=without,
            lane=lane,
            waiting=waiting,
            awaited=request.param == "awaited",
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
        seat: Moody(contract, each.name) for each in routing.releases() if (seat := Seat.of(each))
    }
    return Plan(routing, slots)


def with_records(parts: Parts) -> tuple[Parts, Records]:
    """Have predictions recorded in memory."""
    records = Records()
    instants = [
        Instant(contract=each, name=STAND_IN, model=StableStandIn(each)) for each in parts.contracts
    ]
    predicting = Predicting(
        instants,
        clock=SystemClock(),
        spool=records,
        strict=True,
        metrics=Metrics(),
        engine=parts.engine,
    )
    return replace(parts, predicting=predicting), records


def door(app: Counting, lane: ExpressLane, waiting: WaitingLane, parts: Parts) -> Door:
    """Put a door in front of an application."""
    prefixes = [contract.prefix for contract in parts.contracts]
    places, intake = Places(16), Intake(seconds=5, places=16)
    sending = Sending(parts.ids, places=16)
    return Door(
        app,
        express=lane,
        waiting=waiting,
        quota=None,
        single_flight=SingleFlight(prefixes=prefixes, recent=parts.recent),
        places=places,
        intake=intake,
        pools=Patient(threads=4, prefixes=prefixes, uploads=["/images"], image_bytes=100_000),
        sending=sending,
        metrics=parts.metrics,
        life=Life(
            engine=parts.engine,
            chores=[],
            supervisor=0,
            leaving=Leaving(places=places, intake=intake, sending=sending),
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
    found += [[(b"authorization", b"Basic eDp5")], [(b"cookie", b"theme=dark")]]
    return [[], *found, [*found[1], *found[5]], [*found[0], *found[1]]]


WORDS = st.sampled_from(
    ["5", "05", "0", "-1", "28", "29", "9007199254740991", "9007199254740992", "1e3", "5.0", "true"]
    + ["True", "false", "january", "JAN", "mrt", "août", "ao%C3%BBt", "jui", "12", "13", "", "%20"]
    + [
        "single",
        "Double",
        "double",
        "..",
        "a%2Fb",
        "%FF",
        "5%0A",
        "\u0661",
        "+5",
        "5;",
        "5?",
        "x" * 50,
    ]
)
NAMES = st.sampled_from(
    ["seller_available", "seller_avaible", "month", "customer_visiting_website", "nights", "late"]
    + ["room", "other", "", "%6Donth"]
)
FIXED = st.sampled_from(
    ["/predict", "/stay", "/status", "/predicted", "/", "//predict", "/PREDICT"]
)
PLAIN = st.sampled_from(
    ["/predict/5/january/100", "/predict/0/MAR/9007199254740991", "/stay/true/-3", "/stay/false/7"]
    + ["/status", "/status/", "/predict/january/100/5"]
)
PATHS = PLAIN | st.builds(
    lambda fixed, words, end: "/".join([fixed, *words]) + end,
    FIXED,
    st.lists(WORDS, max_size=4),
    st.sampled_from(["", "", "/"]),
)
QUERIES = st.just("") | st.lists(st.tuples(NAMES, WORDS), max_size=5).map(
    lambda pairs: "&".join(f"{name}={word}" for name, word in pairs)
)
FULL_QUERIES = st.tuples(WORDS, WORDS, WORDS).map(
    lambda w: f"seller_available={w[0]}&month={w[1]}&customer_visiting_website={w[2]}"
)
VALUES = st.integers(-5, 2**53 + 1) | st.booleans() | WORDS | st.floats() | st.none()
BODIES = (
    st.binary(max_size=20)
    | st.dictionaries(NAMES, VALUES, max_size=4).map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda sellers, month, visits: json.dumps(
            {"seller_available": sellers, "month": month, "customer_visiting_website": visits}
        ).encode(),
        VALUES,
        WORDS | st.integers(0, 13),
        VALUES,
    )
)
EXTRA = st.lists(
    st.sampled_from(
        [(b"origin", b"http://here"), (b"origin", b"http://there"), (b"accept", b"text/html")]
        + [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-site", b"same-origin")]
        + [(b"x-request-id", b"mine"), (b"range", b"bytes=0-1"), (b"accept", b"application/json")]
    ),
    max_size=2,
)
TYPES = st.sampled_from(
    [b"application/json", b"application/json; charset=utf-8", b"text/plain", b""]
    + [b"application/x-www-form-urlencoded", b"application/vnd.x+json"]
)


def scope_of(method: str, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> Scope:
    """Make the scope that the server makes of such a request."""
    raw = path.encode("latin-1", "replace")
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "path": unquote(raw.decode("latin-1"), errors="replace"),
        "raw_path": raw,
        "query_string": query.encode("utf-8"),
        "root_path": "",
        "headers": [(b"host", b"here"), *headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 5000),
    }


def assert_equal(house: House, scope: Scope, body: bytes) -> None:
    """Hold the two doors' answers, and the records that they leave, against each other."""
    slow = house.ask(house.without, scope, body)
    assert house.ask(house.with_lane, scope, body) == slow


LAWFUL = settings(
    max_examples=1_500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    method=st.sampled_from(["GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PUT"]),
    path=PATHS,
    query=QUERIES | FULL_QUERIES,
    who=st.integers(0, 12),
    extra=EXTRA,
)
@LAWFUL
def test_without_a_body(
    house: House, method: str, path: str, query: str, who: int, extra: list[tuple[bytes, bytes]]
) -> None:
    """Any request without a body gets the same answer, and leaves the same record, either way."""
    headers = [*house.identities[who % len(house.identities)], *extra]
    assert_equal(house, scope_of(method, path, query, headers), b"")


@given(
    path=st.sampled_from(["/predict", "/stay", "/predict/", "/predict/5/january/100", "/login"]),
    query=st.just("") | QUERIES,
    body=BODIES,
    media_type=TYPES,
    who=st.integers(0, 12),
    extra=EXTRA,
)
@LAWFUL
def test_with_a_body(
    house: House,
    path: str,
    query: str,
    body: bytes,
    media_type: bytes,
    who: int,
    extra: list[tuple[bytes, bytes]],
) -> None:
    """Any body gets the same answer, and leaves the same record, either way."""
    given_type = [(b"content-type", media_type)] if media_type else []
    length = [(b"content-length", str(len(body)).encode())]
    headers = [*house.identities[who % len(house.identities)], *extra, *given_type, *length]
    if path != "/login":
        assert_equal(house, scope_of("POST", path, query, headers), body)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/predict/5/january/100", b""),
        (
            "POST",
            "/predict",
            b'{"seller_available": 5, "month": "may", "customer_visiting_website": 7}',
        ),
    ],
    ids=["path", "JSON"],
)
def test_a_caller_is_looked_up_once(house: House, method: str, path: str, body: bytes) -> None:
    """Of a crowd with one cookie a single request goes to Flask; the lane answers the others."""
    headers = [(b"cookie", b"theme=" + method.encode()), (b"content-type", b"application/json")]
    asked = scope_of(method, path, "", [*headers, (b"content-length", b"%d" % len(body))])
    before = house.app.calls
    statuses = house.ask_at_once(16, asked, body)
    assert house.app.calls == before + 1
    # the model that is awaited fails for some inputs, by then in the same way for all
    assert len(set(statuses)) == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/predict/5/january/100", ""),
        ("/predict/0/AUG/900719925474099", ""),
        ("/predict", "seller_avaible=5&month=mrt&customer_visiting_website=7"),
        ("/stay", "late=true&nights=7"),
        ("/status", ""),
    ],
)
def test_plain_requests_take_a_lane(house: House, path: str, query: str) -> None:
    """What nearly everybody sends is answered without Flask."""
    scope = scope_of("GET", path, query, [])
    if house.awaited and path != "/status":
        assert house.lane.answer(scope) is None
        assert house.waiting.asked(scope) is not None
    else:
        assert house.lane.answer(scope) is not None
        assert house.waiting.asked(scope) is None
    house.records.take()


@pytest.mark.parametrize(
    ("accept", "taken"),
    [("*/*", True), ("application/json, text/html;q=0.5", True), ("text/html", False)]
    + [("TEXT/HTML,application/xhtml+xml,*/*;q=0.8", False)],
)
def test_who_asks_for_a_page_does_not_wait_twice(house: House, accept: str, *, taken: bool) -> None:
    """An error as a page is told by Flask alone, which else would ask a late model once more."""
    scope = scope_of("GET", "/predict/5/january/100", "", [(b"accept", accept.encode())])
    assert (house.waiting.asked(scope) is not None) is (taken and house.awaited)


def test_a_known_caller_takes_a_lane(house: House) -> None:
    """Who asked a moment ago takes a lane, and stands in the record; who did not, does not."""
    for who in (1, 2, 6):
        scope = scope_of("GET", "/predict/5/january/100", "", house.identities[who])
        house.ask(house.without, scope, b"")
        if house.awaited:
            asked = house.waiting.asked(scope)
            assert asked is not None
            assert asked.caller is not None
        else:
            assert house.lane.answer(scope) is not None
            assert house.records.take()[0][3] is not None
    house.records.take()


class Fussy(BaseModel):
    """Inputs whose author has made a mistake."""

    parts: int

    @model_validator(mode="after")
    def divide(self) -> "Fussy":
        """Fail where nobody thought of it."""
        assert 1 / self.parts
        return self


def test_an_authors_own_mistake_is_told_by_flask() -> None:
    """Whatever a contract's validator raises, a body is not plain then, and nothing else."""
    fussy = Contract(name="f", version="1.0.0", path="/f/{parts}", inputs=Fussy, output=Stay)
    matcher = Matcher(fussy, by_path=1, by_query=2, by_json=3)
    asked = scope_of("POST", "/f", "", [])
    assert matcher.match_json(asked, b'{"parts": 2}') is not None
    assert matcher.match_json(asked, b'{"parts": 0}') is None
