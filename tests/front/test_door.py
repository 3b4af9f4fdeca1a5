"""The door lets in what can be answered, and refuses the rest in one shape."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop, parent
from tests.front.requests import Client, living, playing, scope, sending
from tests.predicting.slots import nobodys_reporter

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import Credential, RecentCallers
from stopgap.clock import RandomIds, SystemClock
from stopgap.front.admission import InFlightLimit, Quota
from stopgap.front.asgi import Receive
from stopgap.front.door import Door
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake
from stopgap.front.leaving import Leaving
from stopgap.front.lifespan import Lifespan
from stopgap.front.pool import FORM_BYTES, Pools
from stopgap.front.sending import Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.waiting import WaitingLane
from stopgap.predicting.engine import Engine
from stopgap.predicting.predicting import Predicting
from stopgap.telemetry.metrics import Metrics, times

Start = Callable[..., object]
PREDICT = "/predict/5/january/100"


class Nothing:
    """A spool that nothing is put into."""

    def append(self, body: bytes) -> None:
        """Keep a record."""
        raise NotImplementedError


def _quota(limit: str, recent: RecentCallers) -> Quota:
    counter = PredictionLimit(limit, MemoryCounts())
    return Quota(counter, prefixes=["/predict"], pages=["/page"], recent=recent, trusted=())


class House:
    """A door, with an application behind it that answers when it is told to."""

    def __init__(self, *, places: int = 10, limit: str | None = None) -> None:
        recent, metrics = RecentCallers(FakeClock().monotonic), Metrics()
        self.recent = recent
        self.release = Event()
        self.release.set()
        self.closed = False
        self.looked_up: list[Credential] = []
        self.metrics = metrics
        self.in_flight = InFlightLimit(places)
        intake, answers = Intake(seconds=5, places=10), Sending(RandomIds(), places=10)
        engine = Engine()
        predicting = Predicting(
            [],
            clock=SystemClock(),
            spool=Nothing(),
            strict=True,
            metrics=metrics,
            engine=engine,
            reporter=nobodys_reporter(),
        )
        self.door = Door(
            self._answer,
            express=ExpressLane(
                [],
                closed=False,
                predicting=predicting,
                recent=recent,
                ids=RandomIds(),
                metrics=metrics,
            ),
            waiting=WaitingLane(
                [],
                closed=False,
                predicting=predicting,
                recent=recent,
                ids=RandomIds(),
                metrics=metrics,
            ),
            quota=_quota(limit, recent) if limit else None,
            single_flight=SingleFlight(prefixes=["/predict"], recent=recent, look_up=self._look_up),
            in_flight=self.in_flight,
            intake=intake,
            pools=Pools(
                threads=4, prefixes=["/predict"], images=["/images"], image_bytes=2 * FORM_BYTES
            ),
            sending=answers,
            metrics=metrics,
            lifespan=Lifespan(
                engine=engine,
                chores=[],
                supervisor=parent(),
                leaving=Leaving(
                    in_flight=self.in_flight,
                    intake=intake,
                    sending=answers,
                    end_models=engine.leave,
                ),
                close=self._close,
            ),
        )

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise ZeroDivisionError
        if environ["PATH_INFO"] not in {"/status", "/status/", "/health"}:
            self.release.wait()
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def _look_up(self, credential: Credential) -> None:
        self.release.wait()
        self.looked_up.append(credential)
        self.recent.remember(credential, None)

    def _close(self) -> None:
        self.closed = True

    async def ask(self, path: str, receive: Receive | None = None, **changed: object) -> Client:
        """Send a request; return the client with its answer."""
        client = Client()
        await self.door(scope(path, **changed), receive or playing([]), client.send)
        return client


@in_a_loop
async def test_a_full_house() -> None:
    """When all places are taken, others are refused at once; how the server is, is told still."""
    house = House(places=2)
    house.release.clear()
    inside = [asyncio.create_task(house.ask("/login")) for _ in range(2)]
    await asyncio.sleep(0.05)
    told: dict[str, object] = {"method": "POST", "headers": [(b"content-length", b"5")]}
    refused = await house.ask("/login", sending(b"hello"), **told)
    assert (refused.status, refused.headers[b"retry-after"]) == (503, b"1")
    assert refused.json()["type"] == "/problems/overloaded"
    for path in ("/status", "/health", "/status/"):
        assert (await house.ask(path, method="HEAD")).status == 200
    house.release.set()
    assert [each.status for each in await asyncio.gather(*inside)] == [200, 200]
    assert (await house.ask("/login")).status == 200
    assert house.in_flight.taken == 0


@pytest.mark.parametrize("path", ["/predict/5/january/100", "/images"])
@in_a_loop
async def test_login_has_threads_of_its_own(path: str) -> None:
    """However many predictions or uploads hang, a login is served."""
    house = House(places=100)
    house.release.clear()
    stuck = [asyncio.create_task(house.ask(path)) for _ in range(20)]
    await asyncio.sleep(0.05)
    login = asyncio.create_task(house.ask("/login"))
    await asyncio.sleep(0.05)
    house.release.set()
    assert (await login).status == 200
    await asyncio.gather(*stuck)


@in_a_loop
async def test_only_images_are_large() -> None:
    """A form may not be as large as an image."""
    body = bytes(FORM_BYTES + 1)
    told: dict[str, object] = {"method": "POST", "headers": [(b"transfer-encoding", b"chunked")]}
    assert (await House().ask("/login", sending(body), **told)).status == 413
    assert (await House().ask("/images", sending(body), **told)).status == 200


@in_a_loop
async def test_too_many_predictions() -> None:
    """Who has had as many predictions as may be gets 429, however the address is written."""
    house = House(limit="2/day")
    assert [(await house.ask(PREDICT)).status for _ in range(3)] == [200, 200, 429]
    refused = await house.ask(PREDICT, raw_path=b"/%70redict/5/january/100")
    assert refused.status == 429
    assert int(refused.headers[b"retry-after"]) >= 1
    assert (await house.ask("/login")).status == 200


@in_a_loop
async def test_who_was_not_known_yet_is_counted() -> None:
    """Whoever needed the caller to be looked up is counted as soon as that is done."""
    house, cookie = House(limit="1/day"), (b"cookie", b"theme=dark")
    house.release.clear()
    asked = [asyncio.create_task(house.ask(PREDICT, headers=[cookie])) for _ in range(3)]
    await asyncio.sleep(0)
    house.release.set()
    assert [each.status for each in await asyncio.gather(*asked)] == [200, 429, 429]
    assert house.looked_up == [cookie]


def test_an_application_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """An exception is logged under the id that the client is told, which is told no more."""
    client = asyncio.run(House().ask("/broken"))
    (told,) = caplog.records
    assert told.exc_info
    assert vars(told)["request_id"] == client.json()["request_id"]
    assert client.status == 500
    assert b"Zero" not in client.body
    assert client.json()["type"] == "/problems/internal-fault"


@in_a_loop
async def test_what_waits_for_nothing_ends_at_once() -> None:
    """From the server's start on, a request's task that waits for nothing has ended when made."""
    house, told, stop = House(), Client(), asyncio.Event()
    life = asyncio.create_task(house.door({"type": "lifespan"}, living(told, stop), told.send))
    await asyncio.sleep(0)
    client = Client()
    task = asyncio.create_task(house.door(scope("/status"), playing([]), client.send))
    assert task.done() == (sys.version_info >= (3, 12))
    await task
    assert client.body == b"Alive!"
    stop.set()
    await life


@in_a_loop
async def test_it_waits_for_who_is_inside() -> None:
    """At the end the door waits for the requests inside, and closes everything after them."""
    house, told = House(), Client()
    house.release.clear()
    stop = asyncio.Event()
    life = asyncio.create_task(house.door({"type": "lifespan"}, living(told, stop), told.send))
    await asyncio.sleep(0)
    inside = asyncio.create_task(house.ask("/login"))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.sleep(0.1)
    assert not house.closed
    house.release.set()
    assert (await inside).headers[b"connection"] == b"close"
    await life
    assert house.closed
    assert [message["type"][9:] for message in told.messages] == [
        "startup.complete",
        "shutdown.complete",
    ]


@in_a_loop
async def test_refusals_are_counted() -> None:
    """What the door itself refuses is among the requests that operators see, and among the shed."""
    house = House(limit="1/day")
    assert [(await house.ask(PREDICT)).status for _ in range(3)] == [200, 429, 429]
    counts = house.metrics.of_all().counts
    assert times(counts["stopgap_requests_total", "other", "GET", "429"]) == 2
    assert counts["stopgap_shed_total", "predictions-throttled"] == [2]
