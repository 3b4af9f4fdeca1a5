"""A shadow that hangs changes nothing for clients; `python -m bench.shadow` tells by how much."""

import asyncio
from pathlib import Path

import pytest
from tests.acceptance.desk import HOSTILE, NAME, SHOP, add, desk
from tests.acceptance.pressure import Outcomes, Pressure
from tests.acceptance.processes import wait_for
from tests.acceptance.server import Server, running
from tests.models.hostile import BAD

TARGET = f"/predict/{BAD}/january/100"
READY = "a model is ready"
RATE, SECONDS = 100, 4.0


def ask(server: Server) -> Outcomes:
    """Ask at a steady rate."""

    async def press() -> Outcomes:
        pressure = Pressure(server.port, TARGET)
        outcomes = await pressure.exert(RATE, SECONDS)
        await pressure.close()
        return outcomes

    return asyncio.run(press())


@pytest.mark.parametrize("live", ["stand-in", "Steady"])
def test_a_shadow_that_hangs(tmp_path: Path, live: str) -> None:
    """Every client has the live release's answer, the same bytes; none waits for the shadow."""
    settings = {"STOPGAP_STAND_IN": "stable"}
    with running(tmp_path, settings, troubled=True) as server, desk(server.data) as releases:
        client = server.client()
        if live != "stand-in":
            releases.promote(NAME, add(releases, live, file=SHOP), "ann")
            wait_for(lambda: client.get(TARGET).header("Stopgap-Release") == "1", 20, "it answers")
        before = client.get(TARGET)
        ready = server.said.count(READY)
        releases.promote(NAME, add(releases, "hangs", file=HOSTILE), "ann", stage="shadow")
        wait_for(lambda: server.said.count(READY) > ready, 20, "the shadow is ready")
        outcomes = ask(server)
        after = client.get(TARGET)
        said = server.said
    assert set(outcomes.counts) == {200}
    assert outcomes.quantile(200, 0.5) < 0.1
    assert "It hung for" in said
    for name in ("Stopgap-Release", "Content-Type"):
        assert before.header(name) == after.header(name)
    assert before.body == after.body
