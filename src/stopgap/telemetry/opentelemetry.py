"""An OpenTelemetry collector, or whatever else takes its protocol (OTLP) over HTTP."""

import logging
import re
import threading
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from stopgap.telemetry.trace_queue import CollectorUnreachable
from stopgap.telemetry.tracing import Remote, Span, Trace

SECONDS = 2.0
"""For which the collector is waited for, with the library's one or two further tries."""

WHOLE_SECONDS = 2 * SECONDS
"""For which the whole is waited for: the library begins to count anew with each byte it is sent."""

NANOSECONDS = 1_000
"""In a microsecond."""

LOGGER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
"""Where the library tells, and nowhere else, why something was not taken."""

ASKED = re.compile(r"url: \S+")
"""How it tells what it has asked for, in its own spelling: `%c3` and `ä` have become `%C3%A4`."""


class OtlpCollector:
    """One collector, asked by one thread at a time.

    Headers and certificates can be given by the variables of OpenTelemetry's specification:
    OTEL_EXPORTER_OTLP_HEADERS and so on, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.

    Args:
        url: Where it takes traces.
        version: Our own.
    """

    def __init__(self, url: str, version: str) -> None:
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=SECONDS)
        self._ended = Ended()
        self._asking: threading.Thread | None = None
        # Without the library's queue and its thread: a chore sends what `TraceQueue` holds.
        provider = TracerProvider(
            sampler=ALWAYS_ON, resource=_ourselves(version), shutdown_on_exit=False
        )
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("stopgap")
        self._reason = Reason(urlsplit(url).query)
        logger = logging.getLogger(LOGGER)
        logger.addHandler(self._reason)
        logger.propagate = False

    def take(self, traces: Sequence[Trace]) -> None:
        """Send some traces.

        Raises:
            CollectorUnreachable: they are not taken.
        """
        if self._asking is not None and self._asking.is_alive():
            raise CollectorUnreachable("it has yet to end an answer")
        self._reason.begin()
        for trace in traces:
            self._write(trace)
        if self._exported(self._ended.taken()) is not SpanExportResult.SUCCESS:
            raise CollectorUnreachable(self._reason.told)

    def _exported(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, from a thread that is left alone with a collector which does not end.

        Raises:
            CollectorUnreachable: it does not, or there is no room for a thread.
        """
        results: list[SpanExportResult] = []
        self._asking = threading.Thread(
            target=lambda: results.append(self._exporter.export(spans)), name="traces", daemon=True
        )
        try:
            self._asking.start()
        except RuntimeError as error:
            raise CollectorUnreachable(str(error)) from error
        self._asking.join(WHOLE_SECONDS)
        if not results:
            raise CollectorUnreachable(f"it has not ended its answer in {WHOLE_SECONDS:g} seconds")
        return results[0]

    def _write(self, trace: Trace) -> None:
        """Make the library's spans of ours."""
        written: dict[Span | None, api.Span] = {None: _far(trace.remote)}
        for span in trace.spans:
            written[span] = self._tracer.start_span(
                span.name,
                api.set_span_in_context(written[span.parent]),
                kind=api.SpanKind.INTERNAL if span.parent else api.SpanKind.SERVER,
                attributes=span.attributes,
                start_time=span.began * NANOSECONDS,
            )
            _end(written[span], span)


class Ended(SpanProcessor):
    """Keeps the spans that have been written, for one export of them all."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep one."""
        self._spans.append(span)

    def taken(self) -> list[ReadableSpan]:
        """Give them away."""
        spans, self._spans = self._spans, []
        return spans


class Reason(logging.Handler):
    """Remembers what the library has said last, and before: its last line may tell no cause."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query  # which may be a password
        self._lines: deque[str] = deque(maxlen=2)

    def begin(self) -> None:
        """Forget what was said of others."""
        self._lines.clear()

    @property
    def told(self) -> str:
        """What has been said since."""
        return " ".join(self._lines) or "no reason was given"

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line."""
        line = ASKED.sub("url: ***", record.getMessage())
        self._lines.append(line.replace(self._query, "***") if self._query else line)


def _ourselves(version: str) -> Resource:
    """Say who sends this, unless the environment does."""
    own = Resource({"service.name": "stopgap", "service.version": version})
    return Resource.create(dict(own.merge(OTELResourceDetector().detect()).attributes))


def _far(remote: Remote | None) -> api.Span:
    """Stand for the caller's span; without one, what is below begins a trace."""
    trace_id, span_id, sampled = remote or (api.INVALID_TRACE_ID, api.INVALID_SPAN_ID, False)
    flags = api.TraceFlags(api.TraceFlags.SAMPLED if sampled else api.TraceFlags.DEFAULT)
    return api.NonRecordingSpan(
        api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
    )


def _end(written: api.Span, span: Span) -> None:
    for event in span.events:
        written.add_event(event.name, event.attributes, event.at * NANOSECONDS)
    if span.error is not None:
        written.set_attribute("error.type", span.error)
        written.set_status(api.Status(api.StatusCode.ERROR))
    written.end(span.ended * NANOSECONDS)
