"""SIGHUP: other workers take the places of those that are there, and nobody notices."""

import os
import signal
import time
from pathlib import Path

import pytest
from tests.acceptance.desk import NAME, add, desk
from tests.acceptance.load import Load
from tests.acceptance.processes import wait_for, workers
from tests.acceptance.server import STOP_SECONDS, Server, running
from tests.acceptance.shop import HEAVY_SECONDS

pytestmark = pytest.mark.alone

MARGIN_SECONDS = 10.0


def replaced(server: Server, before: set[int]) -> bool:
    """Tell whether all workers have been."""
    now = set(workers(server.process.pid))
    return len(now) == len(before) and not now & before


def test_a_model_that_takes_its_time(tmp_path: Path) -> None:
    """Each worker answers until its successor has loaded the models."""
    with running(tmp_path, {"STOPGAP_WORKERS": "2"}) as server, desk(server.data) as releases:
        releases.promote(NAME, add(releases, "Heavy"), "ann")
        wait_for(lambda: answers(server), HEAVY_SECONDS + MARGIN_SECONDS, "it answers")
        time.sleep(1.0)  # so that both workers have it
        before = set(workers(server.process.pid))
        with Load(server.port, rate=100) as load:
            os.kill(server.process.pid, signal.SIGHUP)
            took = wait_for(
                lambda: replaced(server, before), 2 * HEAVY_SECONDS + MARGIN_SECONDS, "all replaced"
            )
            time.sleep(0.5)
    assert took > 2 * HEAVY_SECONDS
    assert (load.toll.broken, load.toll.refused, load.toll.unreachable) == (0, {}, 0)


def answers(server: Server) -> bool:
    """Tell whether a release answers."""
    return server.client().get("/predict/5/may/1").header("Stopgap-Release") == "1"


def test_successors_that_cannot_start(tmp_path: Path) -> None:
    """The old workers stay, and answer; they are replaced once somebody has mended it."""
    contract = tmp_path / "mine.py"
    contract.write_text("from stopgap.contracts.madcompany import contract")
    settings = {"STOPGAP_WORKERS": "2", "STOPGAP_CONTRACTS": f"{contract}:contract"}
    with running(tmp_path, settings, troubled=True) as server:
        wait_for(lambda: len(workers(server.process.pid)) == 2, 10, "both are there")
        before = set(workers(server.process.pid))
        contract.write_text("a typo")
        with Load(server.port, rate=100) as load:
            os.kill(server.process.pid, signal.SIGHUP)
            wait_for(lambda: "the old ones stay" in server.said, MARGIN_SECONDS, "it is told")
            time.sleep(1.0)
        assert set(workers(server.process.pid)) == before
        contract.write_text("from stopgap.contracts.madcompany import contract")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: replaced(server, before), MARGIN_SECONDS, "all replaced")
    assert (load.toll.broken, load.toll.refused, load.toll.unreachable) == (0, {}, 0)
    assert server.said.count("cannot start") == 2
    assert "has died" not in server.said


def test_a_stop_meanwhile(tmp_path: Path) -> None:
    """Who stops the server while it waits for a new worker is heard at once."""
    with running(tmp_path, stopped=False) as server, desk(server.data) as releases:
        releases.promote(NAME, add(releases, "Heavy"), "ann")
        wait_for(lambda: answers(server), HEAVY_SECONDS + MARGIN_SECONDS, "it answers")
        os.kill(server.process.pid, signal.SIGHUP)
        time.sleep(0.5)
        assert server.stop() < STOP_SECONDS
    assert "refused to" not in server.said
