"""The middleware notes every request, and changes nothing of it."""

import asyncio
import json
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

import pytest
from tests.front.loops import in_a_loop
from tests.front.requests import Client, playing, scope

from stopgap.address import Network
from stopgap.front.access_log import AccessLogMiddleware
from stopgap.front.asgi import Receive, Scope, Send
from stopgap.telemetry.access import AccessLog

START = {"type": "http.response.start", "status": 422, "headers": [(b"x-request-id", b"an-id")]}
BODY = {"type": "http.response.body", "body": b"no"}


async def refusing(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer, unless the client has gone."""
    if scope["path"] == "/gone":
        raise ConnectionError
    await send(START)
    await asyncio.sleep(0.01)
    await send(BODY)


async def seen(asked: Scope, trusted: Sequence[Network] = ()) -> tuple[Client, dict[str, Any]]:
    """Send a request past the middleware; return what came back, and what it noted."""
    pieces: list[bytes] = []
    log = AccessLog(lambda: 0, pieces.append)
    client = Client()
    try:
        await AccessLogMiddleware(refusing, log, trusted=trusted)(asked, playing([]), client.send)
    finally:
        log.flush()
    return client, json.loads(b"".join(pieces))


@in_a_loop
async def test_a_request_is_noted() -> None:
    """What is noted is what the client sent and was told, but for the query; nothing is changed."""
    asked = scope("/predict/5/m", query_string=b"password=secret", method="HEAD")
    client, noted = await seen(asked)
    assert client.messages == [START, BODY]
    assert noted.pop("micros") >= 10_000
    assert {name: noted[name] for name in ("method", "path", "status", "request_id")} == {
        "method": "HEAD",
        "path": "/predict/5/m",
        "status": 422,
        "request_id": "an-id",
    }
    assert "secret" not in json.dumps(noted)


@in_a_loop
async def test_who_has_gone_is_noted_too() -> None:
    """A request that nobody could be answered any more has the status 0."""
    pieces: list[bytes] = []
    log = AccessLog(lambda: 0, pieces.append)
    with pytest.raises(ConnectionError):
        await AccessLogMiddleware(refusing, log, trusted=())(
            scope("/gone"), playing([]), Client().send
        )
    log.flush()
    noted = json.loads(pieces[0])
    assert (noted["status"], noted["request_id"]) == (0, "")


@in_a_loop
async def test_proxies_are_believed_when_they_are_trusted() -> None:
    """The address is the peer's; a trusted proxy's word counts instead, and nobody else's."""
    asked = scope("/", (b"x-forwarded-for", b"198.51.100.7"))
    for trusted, expected in (
        ((), "192.0.2.1"),
        ((ip_network("10.0.0.0/8"),), "192.0.2.1"),
        ((ip_network("192.0.2.0/24"),), "198.51.100.7"),
    ):
        _, noted = await seen(asked, trusted)
        assert noted["address"] == expected
