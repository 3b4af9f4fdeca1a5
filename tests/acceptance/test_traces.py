"""Traces of a real server's requests, as a collector is told them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.callers import LOADED_SECONDS
from tests.acceptance.desk import NAME, add, desk
from tests.acceptance.processes import wait_for, workers
from tests.acceptance.server import Server, running
from tests.collectors import Collector
from tests.pictures import png

PATH = "/predict/5/january/100"
RULE = "GET /predict/<seller_available>/<month>/<customer_visiting_website>"
PROTOBUF = "google/_upb"
HERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def server(tmp_path: Path, collects: Collector) -> Iterator[Server]:
    """Run a server that traces each request."""
    settings = {"STOPGAP_TRACES": collects.url, "STOPGAP_TRACE_PERCENT": "100"}
    with running(tmp_path, settings) as server:
        yield server


def test_each_lane(server: Server, collects: Collector) -> None:
    """Each way of a request is told with its steps, under the id that the client was told."""
    client = server.client()
    answers = [
        (client.get(PATH), [RULE]),
        (client.get("/predict/5/never/100"), [RULE, "view"]),
        (client.post("/images", png(), "image/png"), ["POST /images", "body", "view"]),
        (client.get("/nowhere"), ["GET", "view"]),
    ]
    for answer, expected in answers:
        trace = collects.trace_of(answer.header("X-Request-Id"))
        assert [span.name for span in trace] == expected
        assert trace[0].attributes["http.response.status_code"] == answer.status
        assert all(span.parent == trace[0].span_id for span in trace[1:])
        assert all(trace[0].began <= span.began <= span.ended <= trace[0].ended for span in trace)


def test_a_models_batch(server: Server, collects: Collector) -> None:
    """Of a model in its own process it is told when it was asked, and with how many rows."""
    client = server.client(traceparent=HERS)
    with desk(server.data) as releases:
        releases.promote(NAME, add(releases, "Steady"), "ann")

    def answers() -> bool:
        return client.get(PATH).header("Stopgap-Release") == "1"

    wait_for(answers, LOADED_SECONDS, "the release answers")
    request, model = collects.trace_of(client.get(PATH).header("X-Request-Id"))
    assert (request.name, model.name) == (RULE, "model")
    assert request.trace_id == HERS.split("-")[1]
    assert request.attributes["stopgap.release"] == "1"
    assert model.attributes == {"stopgap.contract": NAME, "stopgap.release": "1"}
    assert model.events == {"asked": {"stopgap.rows": 1}}


def test_a_collector_that_is_away(tmp_path: Path, collects: Collector) -> None:
    """Neither one that hangs nor one that refuses costs anybody an answer, or the stop a wait."""
    settings = {"STOPGAP_TRACES": collects.url, "STOPGAP_TRACE_PERCENT": "100"}
    collects.answers.clear()
    with running(tmp_path, settings, stopped=False) as server:
        client = server.client()
        began = time.monotonic()
        for _ in range(300):
            assert client.get(PATH).status == 200
            time.sleep(0.01)
        wait_for(lambda: "traces are not taken now" in server.said, 10, "it is told")
        assert server.said.count("traces are not taken now") == 1
        assert server.stop() < 4
    assert "Traceback" not in server.said
    assert time.monotonic() - began < 20


def test_only_some(tmp_path: Path, collects: Collector) -> None:
    """A share is traced, by default a small one; what a stranger asks for changes nothing."""
    settings = {"STOPGAP_TRACES": collects.url, "STOPGAP_TRACE_PERCENT": "20"}
    with running(tmp_path, settings) as server:
        client = server.client(traceparent=HERS)
        for _ in range(500):
            assert client.get(PATH).status == 200
    assert 50 < len(collects.spans) < 160


def test_where_traces_cannot_be_sent(tmp_path: Path) -> None:
    """A URL that is none stops the start, with one line."""
    with (
        pytest.raises(AssertionError, match="STOPGAP_TRACES must be"),
        running(tmp_path, {"STOPGAP_TRACES": "collector:4318"}),
    ):
        pytest.fail("it has started")


def test_the_library_is_loaded_where_it_is_needed(server: Server, tmp_path: Path) -> None:
    """Without the setting, a worker does not have it in its memory."""
    assert PROTOBUF in _mapped(server)
    with running(tmp_path / "another") as another:
        assert PROTOBUF not in _mapped(another)


def _mapped(server: Server) -> str:
    """Tell which files a worker has in its memory."""
    (worker,) = workers(server.process.pid)
    return Path(f"/proc/{worker}/maps").read_text()
