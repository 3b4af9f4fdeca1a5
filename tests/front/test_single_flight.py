"""One request of a caller who is not known goes ahead; the others wait for it, and for it alone."""

import asyncio

import pytest
from tests.front.loops import in_a_loop
from tests.front.requests import scope

from stopgap.accounts.recent import RecentCallers
from stopgap.clock import SystemClock
from stopgap.front.intake import Scope
from stopgap.front.single_flight import SingleFlight

KEY = (b"authorization", b"Bearer one")
PREDICT = "/predict/5/january/100"


class Flights:
    """Requests that each take until they are told to land."""

    def __init__(self) -> None:
        self.recent = RecentCallers(SystemClock().monotonic)
        self._single = SingleFlight(prefixes=["/predict"], recent=self.recent)
        self.landing = asyncio.Event()
        self.up = 0

    async def fly(self, asked: Scope) -> bool:
        """Take a turn; tell whether another was ahead."""
        async with self._single.turn(asked) as waited:
            if not waited:
                self.up += 1
                await self.landing.wait()
            return waited

    async def start(self, *asked: Scope) -> list[asyncio.Task[bool]]:
        """Have several fly, and wait until each has gone as far as it can."""
        flights = [asyncio.create_task(self.fly(each)) for each in asked]
        for _ in range(3):
            await asyncio.sleep(0)
        return flights

    async def side_by_side(self, *asked: Scope) -> bool:
        """Tell whether several fly at the same time; let them land."""
        several = await self.start(*asked)
        up = self.up
        self.landing.set()
        await asyncio.gather(*several)
        return up == len(asked)


@in_a_loop
async def test_one_goes_ahead() -> None:
    """Of many with one key a single one goes ahead, and the next after it may again."""
    flights = Flights()
    several = await flights.start(*[scope(PREDICT, KEY)] * 5)
    assert flights.up == 1
    flights.landing.set()
    assert sorted(await asyncio.gather(*several)) == [False, True, True, True, True]
    assert await flights.fly(scope(PREDICT, KEY)) is False


@pytest.mark.parametrize(
    "other",
    [
        scope(PREDICT),
        scope(PREDICT, (b"authorization", b"Bearer two")),
        scope(PREDICT, (b"x-else", b"Bearer one")),
        scope("/console", KEY),
    ],
    ids=["nobody", "another key", "another header", "another page"],
)
@in_a_loop
async def test_others_do_not_wait(other: Scope) -> None:
    """Neither somebody else waits for it, nor who asks for something else."""
    assert await Flights().side_by_side(scope(PREDICT, KEY), other)


@in_a_loop
async def test_who_is_known_does_not_wait() -> None:
    """Once somebody is known, all their requests go on side by side."""
    flights = Flights()
    flights.recent.remember(KEY, None)
    assert await flights.side_by_side(*[scope(PREDICT, KEY)] * 3)


@in_a_loop
async def test_who_goes_away_takes_nobody_along() -> None:
    """Where the one ahead or one who waits is cut off, the others have their turn."""
    flights = Flights()
    ahead, waiting, last = await flights.start(*[scope(PREDICT, KEY)] * 3)
    waiting.cancel()
    await asyncio.sleep(0)
    ahead.cancel()
    assert await last is True
    flights.landing.set()
    assert await flights.fly(scope(PREDICT, KEY)) is False
