"""A shadow that hangs changes nothing for clients: the same bytes, as quickly as before."""

import asyncio
import os
import statistics
from pathlib import Path

import pytest
from tests.acceptance.desk import HOSTILE, NAME, SHOP, add, desk
from tests.acceptance.pressure import Pressure
from tests.acceptance.processes import wait_for
from tests.acceptance.server import Server, running
from tests.models.hostile import BAD

from stopgap.releases.releases import Releases

pytestmark = pytest.mark.alone

TARGET = f"/predict/{BAD}/january/100"
ROUNDS = int(os.environ.get("SHADOW_ROUNDS", "3"))
SECONDS = 2.0
RATE = 200
NOISE = 0.002
"""Seconds by which a p99 differs even on a quiet machine; on a busy one, by as much as it differed
from round to round without a shadow."""

SETTLED_SECONDS = 2.5


def p99(server: Server) -> float:
    """Ask at a steady rate; tell the seconds within which 99 of 100 were answered."""

    async def ask() -> float:
        pressure = Pressure(server.port, TARGET)
        await pressure.exert(RATE, 0.5)
        outcomes = await pressure.exert(RATE, SECONDS)
        await pressure.close()
        assert set(outcomes.counts) == {200}
        return outcomes.quantile(200, 0.99)

    return asyncio.run(ask())


def rounds(server: Server, releases: Releases, shadow: int) -> dict[bool, list[float]]:
    """Take the shadow on and off in turns; tell the p99 of each round without, and with it."""
    seen: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for there in (False, True):
            if there:
                releases.promote(NAME, shadow, "ann", stage="shadow")
            asyncio.run(asyncio.sleep(SETTLED_SECONDS))
            seen[there].append(p99(server))
            if there:
                releases.withdraw(NAME, shadow, "ann")
    return seen


@pytest.mark.parametrize("live", ["stand-in", "Steady"])
def test_a_shadow_that_hangs(tmp_path: Path, live: str) -> None:
    """The live release's answers are the same bytes, and their p99 is within 5 percent."""
    settings = {"STOPGAP_STAND_IN": "stable"}
    with running(tmp_path, settings, troubled=True) as server, desk(server.data) as releases:
        client = server.client()
        if live != "stand-in":
            releases.promote(NAME, add(releases, live, file=SHOP), "ann")
            wait_for(lambda: client.get(TARGET).header("Stopgap-Release") == "1", 20, "it answers")
        before = client.get(TARGET)
        shadow = add(releases, "hangs", file=HOSTILE)
        seen = rounds(server, releases, shadow)
        after = client.get(TARGET)
    assert (before.body, before.header("Stopgap-Release")) == (
        after.body,
        after.header("Stopgap-Release"),
    )
    without, beside = (statistics.median(seen[there]) for there in (False, True))
    noise = max(NOISE, max(seen[False]) - min(seen[False]))
    assert beside < without * 1.05 + noise, seen
