"""Intake: a request is read whole, bounded in size and time, before it costs a thread."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote

from stopgap.problems import AddressTooLong, BodyLate, BodyMalformed, BodyTooLarge

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ADDRESS_MAX = 8_192
"""Bytes of path and query together, as RFC 9110, section 4.1 recommends to support."""

MEMORY_MAX = 262_144
"""Bytes of a body that stay in memory; a larger one waits in a temporary file."""

LINGER_FACTOR = 4
"""A body of up to so many times the bound is read and thrown away before it is refused, because a
client that is still sending may not read the answer (as nginx's lingering_close does)."""

CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a request may take."""

    body_bytes: int
    body_seconds: float


async def take_in(scope: Scope, receive: Receive, bounds: Bounds) -> tuple[Scope, IO[bytes]]:
    """Read a request whole; return its scope, in the form that WSGI can hold, and its body.

    Raises:
        AddressTooLong, BodyTooLarge, BodyLate: it is out of bounds.
        BodyMalformed: it ended early; whoever stopped sending may still read the answer.
    """
    if len(scope["raw_path"]) + len(scope["query_string"]) > ADDRESS_MAX:
        raise AddressTooLong(f"Path and query may have {ADDRESS_MAX} bytes together.")
    body = tempfile.SpooledTemporaryFile(MEMORY_MAX)  # noqa: SIM115  # the caller closes it
    try:
        async with asyncio.timeout(bounds.body_seconds):
            length = await _read(receive, body, bounds, _declared_length(scope))
    except BaseException as error:
        body.close()
        if isinstance(error, TimeoutError):
            seconds = bounds.body_seconds
            raise BodyLate(f"The body did not arrive within {seconds:g} seconds.") from error
        raise
    body.seek(0)
    return _plain(scope, length), body


async def _read(receive: Receive, body: IO[bytes], bounds: Bounds, declared: int) -> int:
    """Read the body into a file; return its length."""
    allowed = bounds.body_bytes
    too_large = BodyTooLarge(f"The body may have {allowed} bytes.")
    if declared > allowed * LINGER_FACTOR:
        raise too_large
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyMalformed("The body ended before it was whole.")
        chunk = message.get("body", b"")
        length += len(chunk)
        if length <= allowed:
            body.write(chunk)
        elif length > allowed * LINGER_FACTOR:
            raise too_large
        more = message.get("more_body", False)
    if length > allowed:
        raise too_large
    return length


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # the server has refused what is no number
    return 0


def _plain(scope: Scope, length: int) -> Scope:
    """Say a chunked body's length, and percent-encode what is no ASCII in the query."""
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in {b"content-length", b"transfer-encoding"}
    ]
    query = quote(scope["query_string"], safe="%!$&'()*+,;=:@/?-._~[]{}|\\^`\"<>#").encode()
    has_body = length or any(name == b"content-length" for name, _ in scope["headers"])
    if has_body:
        kept.append((b"content-length", str(length).encode()))
    return scope | {"headers": kept, "query_string": query}


def replay(body: IO[bytes]) -> Receive:
    """Hand a body that has been read to the application, a piece at a time."""

    async def receive() -> Message:
        chunk = body.read(CHUNK)
        return {"type": "http.request", "body": chunk, "more_body": len(chunk) == CHUNK}

    return receive
