"""The ceilings: a bare callable on the very server that Stopgap runs on, ASGI or WSGI.

`eager` is the ASGI one once more, whose event loop begins tasks at once, as Stopgap's does.

It reads nothing and decides nothing. Its answer has the headers and the body that it was started
with, which are Stopgap's own, so that both send as many bytes. `stopgap serve` gives idle
connections and slow senders more room, which no request of the bench needs.

    python -m bench.servers.bare asgi PORT '[["content-type", "application/json"], ...]' BODY
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

Headers = list[tuple[str, str]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def asgi(headers: Headers, body: bytes) -> Callable[..., Awaitable[None]]:
    """Make the least that an ASGI application can be."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    start = {"type": "http.response.start", "status": 200, "headers": raw}
    end = {"type": "http.response.body", "body": body}

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        await send(start)
        await send(end)

    return application


def eager(headers: Headers, body: bytes) -> Callable[..., Awaitable[None]]:
    """Make the same, and begin each request's task when it is made."""
    plain = asgi(headers, body)

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await plain(scope, receive, send)

    return application


def wsgi(headers: Headers, body: bytes) -> Callable[..., Iterable[bytes]]:
    """Make the least that a WSGI application can be."""

    def application(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [body]

    return application


INTERFACES = {
    "asgi": (Interfaces.ASGI, asgi),
    "eager": (Interfaces.ASGI, eager),
    "wsgi": (Interfaces.WSGI, wsgi),
}


def main(interface: str, port: str, headers: str, body: str) -> None:
    """Serve until told to stop."""
    protocol, make = INTERFACES[interface]
    pairs = [(name, value) for name, value in json.loads(headers)]
    Granian(
        "bare",
        port=int(port),
        interface=protocol,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=65_536),
        loop=Loops.asyncio,
        workers=1,
        blocking_threads=1,  # the fastest for WSGI, though it answers one at a time
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=partial(make, pairs, body.encode()), wrap_loader=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
