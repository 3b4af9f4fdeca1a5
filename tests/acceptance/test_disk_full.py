"""The disk is full: nobody is answered without a record, or each is counted; and it heals."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.client import Client
from tests.acceptance.full_disks import Full, no_room_for_files, no_room_on_disk, small_disk
from tests.acceptance.killing import admitted
from tests.acceptance.load import Load
from tests.acceptance.predictions import INPUTS, QUERY, TEXTS
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.processes import wait_for
from tests.acceptance.reckoning import reckon
from tests.acceptance.server import Server, running

from stopgap.telemetry.metrics import PUBLISH_SECONDS

RATE = 300
FULL_SECONDS = 1.0
RECOVERY_SECONDS = 5
TOKEN = "a-token-that-reads-the-metrics"
LOST = re.compile(r"^stopgap_journal_lost_total (\d+)", re.MULTILINE)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    """Give a disk that can be full: a small one, or a limit where nobody may mount."""
    with small_disk(tmp_path / "data") as mounted:
        yield no_room_on_disk if mounted else no_room_for_files


@pytest.fixture(params=["a small disk", "a limit"])
def each_full(request: pytest.FixtureRequest, full: Full) -> Full:
    """Give a full disk of both kinds."""
    return full if request.param == "a small disk" else no_room_for_files


def test_strict(tmp_path: Path, each_full: Full) -> None:
    """What cannot be put on record is refused, in the shape of all errors, until there is room."""
    settings = {"STOPGAP_WORKERS": "2", "STOPGAP_METRICS_TOKEN": TOKEN}
    with running(tmp_path, settings) as server, Load(server.port, rate=RATE) as load:
        time.sleep(0.5)
        with each_full(server):
            wait_for(lambda: load.toll.refused, 5, "the disk is full")
            time.sleep(FULL_SECONDS)
            refuses_every_way(server.client())
            assert server.client().get("/status").body == b"Alive!"
            assert server.client().get("/health").status == 503
            # a worker that has refused nobody cannot know of others, which cannot write it down
            wait_for(
                lambda: 'outcome="spool-unwritable"' in metrics(server), 5, "a worker tells of it"
            )
        answered = load.answers
        wait_for(lambda: load.answers > answered, RECOVERY_SECONDS, "it answers again")
        time.sleep(0.5)
        refused = load.toll.refused.copy()
        time.sleep(0.5)
    assert load.toll.refused == refused
    assert set(refused) == {503}
    assert (load.toll.broken, load.toll.unreachable) == (0, 0)
    assert reckon(load.toll.acknowledged, journal(tmp_path)).faults(broken=0) == []


def refuses_every_way(client: Client) -> None:
    """Hold that every way to ask is refused."""
    answers = [
        client.get("/predict/5/january/100"),
        client.get(f"/predict?{QUERY}"),
        client.post_json("/predict", INPUTS),
        client.post_form("/predict", TEXTS),
    ]
    for answer in answers:
        document = assert_problem(answer, 503)
        assert document["type"] == "/problems/spool-unwritable"


def test_available(tmp_path: Path, full: Full) -> None:
    """What cannot be put on record is answered all the same, and every loss is counted."""
    settings = {"STOPGAP_JOURNAL": "available", "STOPGAP_METRICS_TOKEN": TOKEN}
    with admitted(tmp_path, settings) as patient:
        server = patient.server
        with Load(server.port, rate=RATE) as load:
            time.sleep(0.5)
            with full(server):
                time.sleep(FULL_SECONDS)
                assert lost(server) > 0  # so an alert comes while it can be acted on
            time.sleep(0.5)
            before = lost(server)
            time.sleep(0.5)
        assert lost(server) == before > 0
    assert load.toll.failed == 0
    reckoning = reckon(load.toll.acknowledged, journal(tmp_path))
    assert (reckoning.missing, reckoning.twice) == (before, 0)


def lost(server: Server) -> int:
    """Read from the metrics how many answers have no record, once all workers have told."""
    time.sleep(2 * PUBLISH_SECONDS)
    text = metrics(server)
    found = LOST.search(text)
    assert found, text
    return int(found[1])


def metrics(server: Server) -> str:
    """Ask a worker for the metrics."""
    return server.client(Authorization=f"Bearer {TOKEN}").get("/metrics").text


def journal(folder: Path) -> str:
    """Tell where the journal is."""
    return f"sqlite:///{folder / 'data' / 'journal.db'}"
