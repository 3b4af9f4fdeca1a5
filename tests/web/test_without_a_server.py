"""Without a server the application has every release all the same, on a loop of its own."""

import threading
from pathlib import Path

from tests.acceptance.desk import NAME, add, desk

from stopgap import wiring
from stopgap.settings import Settings
from stopgap.telemetry.metrics import Metrics
from stopgap.web import app as web


def test_a_real_release_answers(tmp_path: Path) -> None:
    """A test client gets the live release's answer, and its journal's record; nothing is left."""
    installation = wiring.prepare(Settings(data=tmp_path))
    with desk(tmp_path) as releases:
        releases.promote(NAME, add(releases, "Steady"), "ann")
    parts = wiring.build_parts(installation, Metrics(installation.at.metrics))
    threads = set(threading.enumerate())
    answer = web.create_app(parts).test_client().get("/predict/5/may/100")
    assert (answer.status_code, answer.data) == (200, b"3100")
    assert answer.headers["Stopgap-Release"] == "1"
    parts.close()
    left = set(threading.enumerate()) - threads
    assert not [thread.name for thread in left if thread.name.startswith(("engine", "model"))]
