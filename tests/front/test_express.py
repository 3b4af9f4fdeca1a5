"""The express lane knows nothing that Flask's views do not know: the answers of both are one."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stopgap import wiring
from stopgap.clock import SystemClock
from stopgap.contracts.contract import Contract
from stopgap.front.admission import Places
from stopgap.front.door import Door
from stopgap.front.express import Answer, ExpressLane
from stopgap.front.intake import Intake, Message, Scope
from stopgap.front.lane import Lanes
from stopgap.front.sending import Sending
from stopgap.journal.record import decode
from stopgap.models.stand_in import StableStandIn
from stopgap.predicting import STAND_IN, Predicting, Release
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

    def answer(self, scope: Scope) -> Answer | None:  # noqa: ARG002  # it is no answer to anything
        """Leave every request to Flask."""
        return None

    def answer_json(self, scope: Scope, body: bytes) -> Answer | None:  # noqa: ARG002  # the same
        """Leave every body to Flask."""
        return None


@dataclass(kw_only=True)
class House:
    """One application behind two doors."""

    with_lane: Door
    without: Door
    lane: ExpressLane
    records: Records
    loop: asyncio.AbstractEventLoop
    identities: list[list[tuple[bytes, bytes]]] = field(default_factory=list)

    def ask(self, door: Door, scope: Scope, body: bytes) -> tuple[Any, ...]:
        """Send a request through a door; return what comes back but for ids and times."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        self.loop.run_until_complete(door(scope, receive, send))
        start = sent[0]
        headers = [pair for pair in start["headers"] if pair[0] != b"x-request-id"]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return start["status"], headers, without_ids(content), self.records.take()


UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def without_ids(content: bytes) -> bytes:
    """Cut out the ids that a problem tells."""
    return UUID.sub(b"(an id)", content)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Build an application behind a door with the lane, and behind one without."""
    contracts = ("stopgap.contracts.madcompany:contract", f"{__file__}:stay")
    prepared = wiring.prepare(
        Settings(data=tmp_path_factory.mktemp("data"), contracts=contracts, stand_in="stable")
    )
    parts, records = with_records(wiring.build_parts(prepared))
    app = web.create_app(parts)
    shared: dict[str, Any] = {
        "predicting": parts.predicting,
        "recent": parts.recent,
        "ids": parts.ids,
        "metrics": parts.metrics,
    }
    lane = ExpressLane(parts.contracts, **shared)
    doors = [door(app, each, parts) for each in (lane, NoLane(parts.contracts, **shared))]
    with asyncio.Runner() as runner:
        yield House(
            with_lane=doors[0],
            without=doors[1],
            lane=lane,
            records=records,
            loop=runner.get_loop(),
            identities=identities(parts),
        )
    parts.close()


def with_records(parts: Parts) -> tuple[Parts, Records]:
    """Have predictions recorded in memory."""
    records = Records()
    releases = [
        Release(contract=each, name=STAND_IN, model=StableStandIn(each)) for each in parts.contracts
    ]
    predicting = Predicting(
        releases, clock=SystemClock(), spool=records, strict=True, metrics=Metrics()
    )
    return replace(parts, predicting=predicting), records


def door(app: web.Application, lane: ExpressLane, parts: Parts) -> Door:
    """Put a door in front of an application."""
    return Door(
        app,
        express=lane,
        quota=None,
        places=Places(16),
        intake=Intake(seconds=5, places=16),
        lanes=Lanes(threads=4, prefixes=[stay.prefix], image_bytes=100_000),
        sending=Sending(parts.ids, places=16),
        metrics=parts.metrics,
        chores=[],
        supervisor=0,
        close=parts.close,
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
    ("path", "query"),
    [
        ("/predict/5/january/100", ""),
        ("/predict/0/AUG/900719925474099", ""),
        ("/predict", "seller_avaible=5&month=mrt&customer_visiting_website=7"),
        ("/stay", "late=true&nights=7"),
        ("/status", ""),
    ],
)
def test_plain_requests_take_the_lane(house: House, path: str, query: str) -> None:
    """What nearly everybody sends is answered without Flask."""
    assert house.lane.answer(scope_of("GET", path, query, [])) is not None
    house.records.take()


def test_a_known_caller_takes_the_lane(house: House) -> None:
    """Who asked a moment ago takes the lane, and stands in the record; who did not, does not."""
    for who in (1, 2, 6):
        scope = scope_of("GET", "/predict/5/january/100", "", house.identities[who])
        house.ask(house.without, scope, b"")
        assert house.lane.answer(scope) is not None
        assert house.records.take()[0][3] is not None
