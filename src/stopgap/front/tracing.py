"""Tracing: a middleware before the door, where traces are on, that begins those that are wanted."""

from collections.abc import Callable, Sequence

from stopgap.address import Network, is_trusted
from stopgap.front.asgi import Asgi, Receive, Scope, Send, values_of
from stopgap.front.observed_send import ObservedSend
from stopgap.front.peer import address_of
from stopgap.telemetry.metrics import METHODS
from stopgap.telemetry.trace_queue import TraceQueue
from stopgap.telemetry.tracing import Remote, Span, Trace, Value, read_traceparent

WORDS_MAX = 1_000
"""Characters of a client's own words that are told."""

FAILED = 500
"""From this status on the server is at fault."""

Route = Callable[[str, str], str | None]
"""Tells the route of a method and a path."""


class TracingMiddleware:
    """Passes everything on, and keeps a trace of some of it.

    A caller that has a trace of its own is told by `traceparent`, and ours is a part of that. Only
    a proxy that is believed may say by it whether there is to be one, since each costs something.

    Args:
        door: Answers.
        queue: Takes the traces.
        share: Of the requests of which no such proxy has said anything, from 0 to 1.
        draw: Tells a number from 0 to 1, each time another.
        trusted: Proxies that are believed.
        route: Tells under which rule a request is answered.
        now: Tells the time of day in microseconds, in UTC.
    """

    def __init__(
        self,
        door: Asgi,
        queue: TraceQueue,
        *,
        share: float,
        draw: Callable[[], float],
        trusted: Sequence[Network],
        route: Route,
        now: Callable[[], int],
    ) -> None:
        self._door = door
        self._keep = queue.keep
        self._share = share
        self._draw = draw
        self._trusted = trusted
        self._route = route
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life of the server."""
        if scope["type"] != "http":
            await self._door(scope, receive, send)
            return
        remote = _remote(scope)
        if not self._is_wanted(scope, remote):
            await self._door(scope, receive, send)
            return
        trace, observed = Trace(remote, self._now), ObservedSend(send)
        method = scope["method"] if scope["method"] in METHODS else "HTTP"
        route = self._route(scope["method"], scope["path"])
        name = f"{method} {route}" if route else method
        try:
            with trace.span(name, self._asked(scope, route)) as span:
                await self._door(scope, receive, observed)
                _tell(span, observed)
        finally:
            self._keep(trace)

    def _is_wanted(self, scope: Scope, remote: Remote | None) -> bool:
        if remote and scope.get("client") and is_trusted(scope["client"][0], self._trusted):
            return remote.sampled
        return self._draw() < self._share

    def _asked(self, scope: Scope, route: str | None) -> dict[str, Value]:
        """Tell what was asked, in OpenTelemetry's words for HTTP; never the query."""
        attributes: dict[str, Value] = {
            "http.request.method": scope["method"] if scope["method"] in METHODS else "_OTHER",
            "url.scheme": scope["scheme"],
            "url.path": scope["raw_path"].decode("latin-1")[:WORDS_MAX],
            "client.address": address_of(scope, self._trusted),
        }
        if route:
            attributes["http.route"] = route
        if agents := values_of(scope, b"user-agent"):
            attributes["user_agent.original"] = agents[-1].decode("latin-1")[:WORDS_MAX]
        return attributes


def _remote(scope: Scope) -> Remote | None:
    """Read the caller's span; there is none where it has told two."""
    told = values_of(scope, b"traceparent")
    return read_traceparent(told[0]) if len(told) == 1 else None


def _tell(span: Span, observed: ObservedSend) -> None:
    """Tell what was answered."""
    status = observed.start["status"]
    span.attributes["http.response.status_code"] = status
    for header, name in ((b"x-request-id", "request_id"), (b"stopgap-release", "release")):
        if value := observed.header(header):
            span.attributes[f"stopgap.{name}"] = value.decode("latin-1")
    if status >= FAILED:
        span.error = str(status)
