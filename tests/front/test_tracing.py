"""The middleware keeps traces of the requests that are to have one, and changes nothing of any."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from tests.front.loops import in_a_loop
from tests.front.requests import Client, playing, scope

from stopgap.address import Network
from stopgap.front.asgi import Receive, Scope, Send
from stopgap.front.tracing import WORDS_MAX, TracingMiddleware
from stopgap.telemetry.trace_queue import TraceQueue
from stopgap.telemetry.tracing import Trace, step

RULE = "/predict/<month>"
PROXY = ip_network("192.0.2.0/24")
HERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
HEADERS = [(b"x-request-id", b"an-id"), (b"stopgap-release", b"7")]


async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer as the path says; a part of it is a step of its own."""
    if scope["type"] == "lifespan":
        return
    if scope["path"] == "/gone":
        raise ConnectionError
    with step("part"):
        await asyncio.sleep(0)
    status = int(scope["path"].rpartition("/")[2])
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"answer"})


class Kept:
    """Takes traces."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def take(self, traces: Sequence[Trace]) -> None:
        """Take them."""
        self.traces += traces


async def traced(
    asked: Scope, *, share: float = 1.0, trusted: Sequence[Network] = (), kept: Kept | None = None
) -> tuple[Client, list[Trace]]:
    """Send a request past the middleware; return what came back, and the traces."""
    kept, client = kept or Kept(), Client()
    queue = TraceQueue(kept, lambda: 0.0)
    middleware = TracingMiddleware(
        answering,
        queue,
        share=share,
        draw=lambda: 0.5,
        trusted=trusted,
        route=lambda _method, path: RULE if path.startswith("/predict") else None,
        now=lambda: 1,
    )
    try:
        await middleware(asked, playing([]), client.send)
    finally:
        queue.send()
    return client, kept.traces


@in_a_loop
async def test_a_request_is_traced() -> None:
    """Its span says what was asked and answered in OpenTelemetry's words, but for the query."""
    asked = scope(
        "/predict/200", (b"user-agent", b"curl/8"), query_string=b"key=secret", method="POST"
    )
    client, (trace,) = await traced(asked)
    assert [message["type"] for message in client.messages] == [
        "http.response.start",
        "http.response.body",
    ]
    request, part = trace.spans
    assert request.name == f"POST {RULE}"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": RULE,
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/predict/200",
        "client.address": "192.0.2.1",
        "user_agent.original": "curl/8",
        "stopgap.request_id": "an-id",
        "stopgap.release": "7",
    }
    assert (part.name, part.parent) == ("part", request)


@pytest.mark.parametrize(("status", "error"), [(200, None), (422, None), (500, "500")])
@in_a_loop
async def test_a_fault_of_the_servers(status: int, error: str | None) -> None:
    """What the client has done wrong is no failure of the request's span."""
    _, (trace,) = await traced(scope(f"/predict/{status}"))
    assert trace.spans[0].error == error


@in_a_loop
async def test_words_that_strangers_choose() -> None:
    """A method, a path and a name that anybody may think of make no names, and are cut."""
    long = "/" + "x" * 3 * WORDS_MAX + "/404"
    asked = scope(long, (b"user-agent", b"\xff" * 3 * WORDS_MAX), method="BREW")
    _, (trace,) = await traced(asked)
    request = trace.spans[0]
    assert request.name == "HTTP"
    assert request.attributes["http.request.method"] == "_OTHER"
    assert "http.route" not in request.attributes
    assert request.attributes["url.path"] == long[:WORDS_MAX]
    assert request.attributes["user_agent.original"] == "ÿ" * WORDS_MAX


@in_a_loop
async def test_who_has_gone_is_traced_too() -> None:
    """A request that came to no answer has a trace without a status."""
    kept = Kept()
    with pytest.raises(ConnectionError):
        await traced(scope("/gone"), kept=kept)
    ((request,),) = (trace.spans for trace in kept.traces)
    assert request.error == "ConnectionError"
    assert "http.response.status_code" not in request.attributes


@pytest.mark.parametrize(
    ("share", "flags", "trusted", "is_traced"),
    [
        (0.6, None, [], True),
        (0.4, None, [], False),
        (0.6, "00", [], True),
        (0.4, "01", [], False),
        (0.6, "00", [PROXY], False),
        (0.4, "01", [PROXY], True),
        (0.4, "01", [ip_network("198.51.100.0/24")], False),
        (0.6, None, [PROXY], True),
        (0.6, "nonsense", [PROXY], True),
    ],
)
@in_a_loop
async def test_which_are_traced(
    share: float, flags: str | None, trusted: Sequence[Network], *, is_traced: bool
) -> None:
    """A proxy that is believed says it for its own; of all others, a share is drawn."""
    headers = [] if flags is None else [(b"traceparent", f"{HERS}-{flags}".encode())]
    client, traces = await traced(scope("/predict/200", *headers), share=share, trusted=trusted)
    assert len(client.messages) == 2
    assert bool(traces) is is_traced
    if traces and flags in {"00", "01"}:
        assert traces[0].remote is not None
        assert f"{traces[0].remote.trace_id:032x}" == HERS.split("-")[1]


@in_a_loop
async def test_two_traces_are_none() -> None:
    """Who tells two spans of its own has told nothing (W3C Trace Context, section 3.2)."""
    header = (b"traceparent", f"{HERS}-01".encode())
    _, (trace,) = await traced(scope("/predict/200", header, header))
    assert trace.remote is None


@in_a_loop
async def test_a_life_is_no_request() -> None:
    """The server's start and end go through."""
    _, traces = await traced({"type": "lifespan"})
    assert traces == []
