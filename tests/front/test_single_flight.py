"""Who is not known is looked up by one request, and the others wait for it, and for it alone."""

import asyncio
import threading

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop
from tests.front.requests import scope

from stopgap.accounts.recent import LENGTH_MAX, Credential, RecentCallers
from stopgap.errors import Overloaded, StopgapError
from stopgap.front.asgi import Scope
from stopgap.front.pool import FORM_BYTES, Pool
from stopgap.front.single_flight import Search, SingleFlight
from stopgap.problems import InternalFault
from stopgap.storage.database_faults import DatabaseUnreachable

KEY = (b"authorization", b"Bearer one")
PREDICT = "/predict/5/january/100"


class Flights:
    """Requests whose callers are looked up when they may be."""

    def __init__(self, *, known: bool = True) -> None:
        self.clock = FakeClock()
        self.recent = RecentCallers(self.clock.monotonic)
        self.looked_up: list[Credential] = []
        self.landing = threading.Event()
        self._known = known
        self._pool = Pool("few", threads=2, patience=5.0, body_bytes=FORM_BYTES)
        self._single = SingleFlight(
            prefixes=["/predict"], recent=self.recent, look_up=self._look_up
        )

    def _look_up(self, credential: Credential) -> None:
        self.looked_up.append(credential)
        assert self.landing.wait(10)
        if self._known:
            self.recent.remember(credential, None)

    async def fly(self, asked: Scope) -> bool:
        """Tell whether a request's caller had to be found."""
        return (await self._single.find(asked, self._pool)).found

    async def start(self, *asked: Scope) -> list[asyncio.Task[bool]]:
        """Have several fly, and wait until each has gone as far as it can."""
        flights = [asyncio.create_task(self.fly(each)) for each in asked]
        await asyncio.sleep(0.05)
        return flights


@in_a_loop
async def test_one_looks_up_for_all() -> None:
    """Of many with one key a single one takes a thread; then the caller is known to all."""
    flights = Flights()
    several = await flights.start(*[scope(PREDICT, KEY)] * 5)
    assert flights.looked_up == [KEY]
    flights.landing.set()
    assert await asyncio.gather(*several) == [True] * 5
    assert await flights.fly(scope(PREDICT, KEY)) is False
    assert flights.looked_up == [KEY]


@pytest.mark.parametrize(
    ("other", "needed"),
    [
        (scope(PREDICT), False),
        (scope(PREDICT, (b"authorization", b"Bearer two")), True),
        (scope(PREDICT, (b"x-else", b"Bearer one")), False),
        (scope("/console", KEY), False),
        (scope(PREDICT, (b"cookie", b"x" * (LENGTH_MAX + 1))), False),
    ],
    ids=["nobody", "another key", "another header", "another page", "a header too long to keep"],
)
@in_a_loop
async def test_others_do_not_wait(other: Scope, *, needed: bool) -> None:
    """Neither somebody else waits for it, nor who asks for something else."""
    flights = Flights()
    ahead, second = await flights.start(scope(PREDICT, KEY), other)
    assert (ahead.done(), second.done(), len(flights.looked_up)) == (False, not needed, 1 + needed)
    flights.landing.set()
    assert (await ahead, await second) == (True, needed)


@in_a_loop
async def test_who_is_known_does_not_wait() -> None:
    """Once somebody is known, nobody is looked up, until one request is to ask anew."""
    flights = Flights()
    flights.landing.set()
    flights.recent.remember(KEY, None)
    assert [await flights.fly(scope(PREDICT, KEY)) for _ in range(3)] == [False] * 3
    flights.clock.forward(seconds=0.6)
    assert await flights.fly(scope(PREDICT, KEY)) is False
    assert flights.recent.recall(KEY) is None
    assert await flights.fly(scope(PREDICT, KEY)) is True
    assert await flights.fly(scope(PREDICT, KEY)) is False
    assert flights.looked_up == [KEY]
    flights.clock.forward(seconds=1.1)
    assert await flights.fly(scope(PREDICT, KEY)) is True


@in_a_loop
async def test_who_goes_away_takes_nobody_along() -> None:
    """Where the one ahead or one who waits is cut off, the others go on."""
    flights = Flights(known=False)
    ahead, waiting, last = await flights.start(*[scope(PREDICT, KEY)] * 3)
    waiting.cancel()
    await asyncio.sleep(0)
    ahead.cancel()
    assert await last is True
    flights.landing.set()
    assert await flights.fly(scope(PREDICT, KEY)) is True
    assert flights.looked_up == [KEY] * 2


@pytest.mark.parametrize(
    ("raised", "told"), [(Overloaded("no thread"), Overloaded), (LookupError(), InternalFault)]
)
@in_a_loop
async def test_who_would_have_looked_up_is_refused(
    raised: Exception, told: type[StopgapError]
) -> None:
    """It has no thread, or meets what nobody foresaw; the others find that out for themselves."""
    flights = Flights()

    def refuse(_credential: Credential) -> StopgapError | None:
        assert flights.landing.wait(10)
        raise raised

    single = SingleFlight(prefixes=["/predict"], recent=flights.recent, look_up=refuse)
    pool = Pool("few", threads=1, patience=5.0, body_bytes=FORM_BYTES)
    both = [asyncio.create_task(single.find(scope(PREDICT, KEY), pool)) for _ in range(2)]
    await asyncio.sleep(0.05)
    flights.landing.set()
    ahead, waited = await asyncio.gather(*both, return_exceptions=True)
    assert isinstance(ahead, told)
    assert waited == Search(found=True)


@in_a_loop
async def test_what_was_in_the_way_is_told_to_all() -> None:
    """Nobody waits once more for a database that has just kept silent for its whole patience."""
    error, called = DatabaseUnreachable("database", "it is away"), list[Credential]()
    flights = Flights()

    def fail(credential: Credential) -> StopgapError | None:
        called.append(credential)
        assert flights.landing.wait(10)
        return error

    single = SingleFlight(prefixes=["/predict"], recent=flights.recent, look_up=fail)
    pool = Pool("few", threads=1, patience=5.0, body_bytes=FORM_BYTES)
    several = [asyncio.create_task(single.find(scope(PREDICT, KEY), pool)) for _ in range(3)]
    await asyncio.sleep(0.05)
    flights.landing.set()
    assert await asyncio.gather(*several) == [Search(found=False, error=error)] * 3
    assert called == [KEY]
