"""A collector of traces for tests: it takes OTLP over HTTP, and shows what it was told."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """One span, as it was told."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent: str
    began: int  # nanoseconds
    ended: int
    failed: bool
    attributes: dict[str, str | int]
    events: dict[str, dict[str, str | int]]
    resource: dict[str, str | int]


class Collector(ThreadingHTTPServer):
    """Takes traces, as long as its `status` is 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"
        self.status = 200
        self.answers = threading.Event()  # who clears it lets all wait
        self.answers.set()
        self.posts: list[tuple[str, dict[str, str]]] = []
        self.spans: list[Told] = []

    def trace_of(self, request_id: str | None) -> list[Told]:
        """Wait until a request is told; give its span and those below it, by their beginnings."""
        end = time.monotonic() + SECONDS
        while True:
            spans = list(self.spans)
            for span in spans:
                if span.attributes.get("stopgap.request_id") == request_id:
                    below = [each for each in spans if each.parent == span.span_id]
                    return [span, *sorted(below, key=lambda each: each.began)]
            assert time.monotonic() < end, [span.name for span in spans]
            time.sleep(0.02)


class Taker(BaseHTTPRequestHandler):
    """Takes one batch."""

    server: Collector

    def do_POST(self) -> None:  # as the library calls it
        """Keep what is sent, if anything is to be taken."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.wait()
        self.server.posts.append((self.path, dict(self.headers)))
        if self.server.status == 200:
            self.server.spans.extend(_read(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _read(body: bytes) -> Iterator[Told]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Told(
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                    attributes=_values(span.attributes),
                    events={each.name: _values(each.attributes) for each in span.events},
                    resource=_values(group.resource.attributes),
                )


def _values(pairs: Iterable[KeyValue]) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in pairs}


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector; it is gone afterwards."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.answers.set()
            server.shutdown()
            thread.join()
