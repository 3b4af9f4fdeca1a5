"""The access log: a middleware before the door, where it is on, that notes every request."""

import time
from collections.abc import Sequence

from stopgap.address import Network
from stopgap.front.asgi import Asgi, Receive, Scope, Send
from stopgap.front.observed_send import ObservedSend
from stopgap.front.peer import address_of
from stopgap.telemetry.access import AccessLog


class AccessLogMiddleware:
    """Passes everything on, and notes what became of it.

    Args:
        door: Answers.
        log: Takes the notes.
        trusted: Proxies that are believed about addresses.
    """

    def __init__(self, door: Asgi, log: AccessLog, *, trusted: Sequence[Network]) -> None:
        self._door = door
        self._log = log
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life of the server."""
        if scope["type"] != "http":
            await self._door(scope, receive, send)
            return
        began = time.perf_counter_ns()
        observed = ObservedSend(send)
        try:
            await self._door(scope, receive, observed)
        finally:
            micros = (time.perf_counter_ns() - began) // 1_000
            self._log.note(
                scope["method"],
                scope["raw_path"],
                observed.start["status"],
                observed.header(b"x-request-id"),
                micros,
                address_of(scope, self._trusted),
            )
