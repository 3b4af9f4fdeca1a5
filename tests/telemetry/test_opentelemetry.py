"""What a collector is told, over its own protocol, and what is told of one that takes nothing."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest
from tests.collectors import Collector

from stopgap.telemetry.collectors import open_collector
from stopgap.telemetry.opentelemetry import SECONDS, WHOLE_SECONDS
from stopgap.telemetry.trace_queue import CollectorUnreachable
from stopgap.telemetry.tracing import Remote, Trace, note, step

SERVER, INTERNAL = 2, 1
"""Kinds of spans in OTLP."""

BEGAN = 1_900_000_000_000_000


def trace(remote: Remote | None = None) -> Trace:
    """Make a trace of two steps, the second of which has failed."""
    found = Trace(remote, count(BEGAN).__next__)
    with found.span("GET /x", {"http.response.status_code": 503}) as request:
        with step("model", {"stopgap.release": "1"}) as model:
            note("asked")
        assert model
        model.error = "ModelLate"
        request.error = "503"
    return found


def test_what_is_told(collects: Collector) -> None:
    """Names, times, places below each other, attributes, events and failures, and who tells it."""
    open_collector(collects.url, "1.2.3").take([trace(), trace()])
    request, model, *others = collects.spans
    assert [span.name for span in others] == ["GET /x", "model"]
    assert len({span.trace_id for span in others} | {request.trace_id}) == 2
    assert model.trace_id == request.trace_id
    assert (request.parent, model.parent) == ("", request.span_id)
    assert (request.kind, model.kind) == (SERVER, INTERNAL)
    assert (request.began, request.ended) == (BEGAN * 1_000, (BEGAN + 4) * 1_000)
    assert request.attributes == {"http.response.status_code": 503, "error.type": "503"}
    assert model.attributes == {"stopgap.release": "1", "error.type": "ModelLate"}
    assert model.events == {"asked": {}}
    assert request.failed
    assert model.failed
    assert request.resource["service.name"] == "stopgap"
    assert request.resource["service.version"] == "1.2.3"


@pytest.mark.parametrize("sampled", [True, False])
def test_a_part_of_the_callers(collects: Collector, sampled: bool) -> None:  # pytest's
    """A caller's trace goes on here, whether it keeps its own part or not."""
    open_collector(collects.url, "1").take([trace(Remote(0xABC, 0xDEF, sampled))])
    request, model = collects.spans
    assert request.trace_id == model.trace_id == f"{0xABC:032x}"
    assert request.parent == f"{0xDEF:016x}"


def test_the_environment_says_more(collects: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that OpenTelemetry's specification gives are honoured."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "sales")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc")
    open_collector(collects.url, "1").take([trace()])
    assert collects.spans[0].resource["service.name"] == "sales"
    assert collects.spans[0].resource["deployment.environment.name"] == "staging"
    assert collects.posts[0][1]["x-key"] == "abc"


def test_a_collector_that_refuses(collects: Collector) -> None:
    """It is told with its status; what it did not take is not sent with the next ones."""
    opened = open_collector(collects.url, "1")
    collects.status = 401
    with pytest.raises(CollectorUnreachable, match="401"):
        opened.take([trace()])
    collects.status = 200
    opened.take([trace()])
    assert len(collects.spans) == 2


@pytest.mark.parametrize("key", ["secretword", "%c3%a4secretword", "äsecretword"])
def test_a_collector_that_is_not_there(key: str) -> None:
    """It is told, and why, without what may be a password; nobody waits for it for long."""
    opened = open_collector(f"http://ann:secretword@127.0.0.1:9/v1/traces?key={key}", "1")
    began = time.monotonic()
    with pytest.raises(CollectorUnreachable) as told:
        opened.take([trace()])
    assert time.monotonic() - began < SECONDS + 1
    assert "secretword" not in str(told.value)
    assert "Connection refused" in str(told.value)


def test_a_collector_that_hangs(collects: Collector) -> None:
    """One that takes the request and never answers is given up."""
    opened = open_collector(collects.url, "1")
    collects.answers.clear()
    began = time.monotonic()
    with pytest.raises(CollectorUnreachable):
        opened.take([trace()])
    assert time.monotonic() - began < SECONDS + 1


@pytest.fixture
def trickling() -> Iterator[str]:
    """Run a collector whose answer comes byte for byte, and tell its URL."""
    over = threading.Event()

    def answer() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not over.wait(0.1):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"
        over.set()
        thread.join()


def test_a_collector_that_trickles(trickling: str) -> None:
    """One that never ends its answer is given up, and then not waited for again until it has."""
    opened = open_collector(trickling, "1")
    began = time.monotonic()
    with pytest.raises(CollectorUnreachable, match="not ended its answer"):
        opened.take([trace()])
    assert time.monotonic() - began < WHOLE_SECONDS + 1
    with pytest.raises(CollectorUnreachable, match="yet to end"):
        opened.take([trace()])
    assert time.monotonic() - began < WHOLE_SECONDS + 1
