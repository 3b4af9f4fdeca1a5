"""Killed at any moment, the server forgets nothing, and is soon whole again."""

import errno
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.acceptance.killing import ORPHAN_SECONDS, VICTIMS, admitted, kill_under_load
from tests.acceptance.load import Load
from tests.acceptance.processes import drainers, is_running, kill, wait_for, workers
from tests.acceptance.server import STOP_SECONDS

from stopgap.cli.serving.workers import PAUSE_SECONDS

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "back to back"])
def test_deaths(tmp_path: Path, *, spaced: bool) -> None:
    """What was acknowledged before, during and after deaths is in the journal, once.

    Whoever dies is replaced within seconds, be it that the last death has healed or not.
    """
    assert kill_under_load(tmp_path, VICTIMS, spaced=spaced).faults == []


def test_orphans_end(tmp_path: Path) -> None:
    """When the supervisor is killed under load its workers end, and the port is free for another.

    The drainer ends too, after it has moved what they left.
    """
    with admitted(tmp_path, {}) as patient, Load(patient.server.port):
        supervisor = patient.server.process.pid
        serving, draining = workers(supervisor), drainers(supervisor)
        time.sleep(0.3)
        kill(supervisor)
        wait_for(
            lambda: not any(map(is_running, serving)) and refuses(patient.server.port),
            ORPHAN_SECONDS,
            "the workers have ended",
        )
        wait_for(lambda: not any(map(is_running, draining)), 10, "the drainer has ended")
        assert list((tmp_path / "data" / "spool").glob("*.spool")) == []


def test_a_stop_is_not_forgotten_over_deaths(tmp_path: Path) -> None:
    """A server that is told to stop while it replaces a worker that keeps dying stops."""
    with admitted(tmp_path, {}) as patient:
        supervisor = patient.server.process.pid
        first, second = workers(supervisor)
        kill(first)
        wait_for(lambda: len({*workers(supervisor)} - {first, second}) == 1, 5, "it is replaced")
        kill(*{*workers(supervisor)} - {second})
        time.sleep(0.2)
        assert patient.server.stop() < STOP_SECONDS + PAUSE_SECONDS


def refuses(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
