"""A worker that starts while the database is away, or whose model is not there, is honest."""

import shutil
import time
from pathlib import Path

import pytest
from tests.acceptance.callers import Callers
from tests.acceptance.desk import NAME, SHOP, add, desk
from tests.acceptance.outages import gone
from tests.acceptance.processes import kill, wait_for, workers
from tests.acceptance.server import Server, running
from tests.databases import PostgresqlServer

pytestmark = pytest.mark.alone

LOADED_SECONDS = 20.0


def replace_workers(server: Server) -> None:
    """Kill all workers, and wait until others have taken their places."""
    serving = workers(server.process.pid)
    kill(*serving)
    wait_for(
        lambda: len(set(workers(server.process.pid)) - set(serving)) == len(serving),
        LOADED_SECONDS,
        "other workers are there",
    )
    server.wait_until_up()


def wait_until_it_answers(server: Server) -> None:
    """Wait until release 1 answers."""
    wait_for(
        lambda: server.client().get("/predict/5/may/1").header("Stopgap-Release") == "1",
        LOADED_SECONDS,
        "the release answers",
    )


def test_a_start_while_the_database_is_away(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """A killed worker's successor serves the live release, and never the stand-in."""
    name = postgresql.create()
    url = postgresql.url(name)
    journal = f"sqlite:///{tmp_path / 'journal.db'}"
    settings = {"STOPGAP_WORKERS": "2", "DATABASE_URL": url, "STOPGAP_JOURNAL_URL": journal}
    with running(tmp_path, settings, troubled=True) as server, desk(server.data, url) as releases:
        releases.promote(NAME, add(releases, "Steady"), "ann")
        wait_until_it_answers(server)
        time.sleep(1.0)  # so that both workers know
        with gone(postgresql, name):
            replace_workers(server)
            with Callers(server.port) as callers:
                callers.listen(4.0)
    answered = {each.release for each in callers.told if each.status == 200}
    assert answered == {"1"}
    assert callers.failures == {}


def test_a_live_model_that_is_gone(tmp_path: Path) -> None:
    """Who cannot load it answers an honest 503, never with the stand-in, until it can again."""
    file = tmp_path / "model.py"
    shutil.copy(SHOP, file)
    with (
        running(tmp_path, {"STOPGAP_WORKERS": "1"}, troubled=True) as server,
        desk(server.data) as releases,
    ):
        releases.promote(NAME, add(releases, "Steady", file=file), "ann")
        client = server.client()
        wait_until_it_answers(server)
        hidden = file.rename(tmp_path / "hidden.py")
        replace_workers(server)
        answer = client.get("/predict/5/may/1")
        assert answer.status == 503
        assert answer.json()["type"] == "/problems/model-unavailable"
        assert answer.header("Retry-After") == "1"
        assert client.get("/status").status == 200
        unwell = client.get("/health")
        assert unwell.status == 503  # so that a new version of the server takes no old one's place
        assert unwell.json()["type"] == "/problems/model-unavailable"
        hidden.rename(file)
        wait_until_it_answers(server)
        assert client.get("/health").status == 200


def test_a_model_that_fails_later(tmp_path: Path) -> None:
    """A release that has nobody to answer for it takes no server out that has served before."""
    file = tmp_path / "model.py"
    shutil.copy(SHOP, file)
    with (
        running(tmp_path, {"STOPGAP_WORKERS": "1"}, troubled=True) as server,
        desk(server.data) as releases,
    ):
        number = add(releases, "Steady", file=file)
        releases.promote(NAME, number, "ann")
        file.unlink()
        client = server.client()
        wait_for(
            lambda: client.get("/predict/5/may/1").status == 503, LOADED_SECONDS, "it cannot answer"
        )
        assert client.get("/health").status == 200
