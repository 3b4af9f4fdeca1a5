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


def test_a_stop_meanwhile(tmp_path: Path) -> None:
    """Who stops the server while it waits for a new worker is heard at once."""
    with running(tmp_path, stopped=False) as server, desk(server.data) as releases:
        releases.promote(NAME, add(releases, "Heavy"), "ann")
        wait_for(lambda: answers(server), HEAVY_SECONDS + MARGIN_SECONDS, "it answers")
        os.kill(server.process.pid, signal.SIGHUP)
        time.sleep(0.5)
        assert server.stop() < STOP_SECONDS
    assert "refused to" not in server.said
