"""Intake: a request is read whole, bounded in size and time, before it costs a thread."""

import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from io import BytesIO
from time import monotonic
from typing import IO
from urllib.parse import quote

from stopgap.errors import Overloaded
from stopgap.front.asgi import Receive, Scope, declared_length, has_body, values_of
from stopgap.front.slow_clients import ProgressTimeout, SlowClients
from stopgap.problems import AddressTooLong, BodyLate, BodyMalformed, BodyTooLarge
from stopgap.storage.objects import DiskFull
from stopgap.telemetry.logs import Seldom
from stopgap.telemetry.tracing import step

logger = logging.getLogger(__name__)

ADDRESS_MAX = 8_192
"""Bytes of path and query together, as RFC 9110, section 4.1 recommends to support."""

MEMORY_MAX = 65_536
"""Bytes of a body that stay in memory; a larger one waits in a temporary file."""

PIECES, PIECE = 4_096, 64
"""Pieces that any body may come in, and the bytes that there must be for each further one: a piece
costs 60 us, so a body of 1 MB in single bytes would take a core for half a minute."""

LARGE = 32
"""Bodies in temporary files at once: with uploads of 10 MiB, 330 MiB of the disk at most."""


class Intake:
    """Reads requests.

    Args:
        seconds: In which a body must arrive.
        places: Bodies that are read at once.
    """

    def __init__(self, *, seconds: float, places: int) -> None:
        self._seconds = seconds
        self._all = SlowClients(places)
        self._large = SlowClients(LARGE)
        self._seldom = Seldom(monotonic)

    @asynccontextmanager
    async def reading(
        self, scope: Scope, receive: Receive, allowed: int
    ) -> AsyncIterator[tuple[Scope, IO[bytes]]]:
        """Read a request whole; hand over its scope, as WSGI can hold it, and its body.

        Args:
            scope: The request's head.
            receive: Gives its body.
            allowed: Bytes that the body may have.

        Raises:
            AddressTooLong, BodyTooLarge, BodyLate, Overloaded: it is out of bounds.
            BodyMalformed: it ended early, and whoever stopped sending may still read the answer; or
                it comes in too small pieces.
            DiskFull: it is large, and there is no room for it where temporary files are.
        """
        if len(scope["raw_path"]) + len(scope["query_string"]) > ADDRESS_MAX:
            raise AddressTooLong(f"Path and query may have {ADDRESS_MAX} bytes together.")
        if not has_body(scope):
            yield _as_read(scope, 0), BytesIO()
            return
        client = ProgressTimeout(self._seconds)
        declared = declared_length(scope)
        with BytesIO() if 0 < declared <= MEMORY_MAX else _spooled() as body:
            try:
                _allow(declared, allowed)
                length = await self._read(receive, body, client, allowed, declared)
                _rewind(body)
                yield _as_read(scope, length), body
            except DiskFull as error:
                if self._seldom.take_turn():
                    logger.warning("a large body finds no room: %s", error.__cause__)
                raise
            finally:
                self._large.leave(client)

    def stop(self) -> None:
        """Read no more; whoever has not sent all is told so."""
        self._all.evict_all()

    async def _read(
        self,
        receive: Receive,
        body: IO[bytes],
        client: ProgressTimeout,
        allowed: int,
        declared: int,
    ) -> int:
        """Read the body into a file, in its time; return its length."""
        self._all.join(client)
        try:
            with step("body"):
                async with client:
                    return await self._copy(receive, body, client, allowed, declared)
        except TimeoutError as error:
            if client.evicted:
                raise Overloaded("The body came too slowly while others waited.") from error
            raise BodyLate(f"The body did not arrive within {self._seconds:g} seconds.") from error
        finally:
            self._all.leave(client)

    async def _copy(
        self,
        receive: Receive,
        body: IO[bytes],
        client: ProgressTimeout,
        allowed: int,
        declared: int,
    ) -> int:
        length, pieces, more = 0, 0, True
        while more:
            message = await receive()
            pieces += 1
            if message["type"] == "http.disconnect":
                raise BodyMalformed("The body ended before it was whole.")
            chunk = message.get("body", b"")
            _allow(length + len(chunk), allowed)
            if length <= MEMORY_MAX < length + len(chunk):
                self._large.join(client)
            length += _keep(chunk, body)
            if pieces > PIECES + length // PIECE:
                raise BodyMalformed(f"The body comes in pieces of less than {PIECE} bytes each.")
            # a body as long as declared has ended; to be told so costs another turn of the loop
            more = message.get("more_body", False) and (not declared or length < declared)
        return length


@contextmanager
def _spooled() -> Iterator[IO[bytes]]:
    """Open a file for a body, in memory as long as it is small."""
    body = tempfile.SpooledTemporaryFile(MEMORY_MAX)  # noqa: SIM115  # its end may be an error
    try:
        yield body
    finally:
        with suppress(OSError):  # what found no room before finds none now, and that has been told
            body.close()


def _keep(chunk: bytes, body: IO[bytes]) -> int:
    try:
        return body.write(chunk)
    except OSError as error:  # whatever the reason, a large body finds no room there
        raise DiskFull from error


def _rewind(body: IO[bytes]) -> None:
    try:
        body.seek(0)  # which writes what is still to be written
    except OSError as error:
        raise DiskFull from error


def _allow(length: int, allowed: int) -> None:
    if length > allowed:
        raise BodyTooLarge(f"The body may have {allowed} bytes.")


REWRITTEN = frozenset({b"content-length", b"transfer-encoding", b"cookie", b"upgrade"})


def _as_read(scope: Scope, length: int) -> Scope:
    """Say a chunked body's length, and percent-encode what is no ASCII in the query.

    WSGI would take `x_forwarded_for` for `x-forwarded-for`, which a proxy vouches for: a header
    with such a name is left out, as nginx does. It would join two lines of cookies by a comma,
    which is none of cookies' own (RFC 6265, section 4.2.1), and knows of no other protocol.
    """
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in REWRITTEN and b"_" not in name
    ]
    if cookies := values_of(scope, b"cookie"):
        kept.append((b"cookie", b"; ".join(cookies)))
    query = quote(scope["query_string"], safe="%!$&'()*+,;=:@/?-._~[]{}|\\^`\"<>#").encode()
    if length or values_of(scope, b"content-length"):
        kept.append((b"content-length", str(length).encode()))
    return scope | {"headers": kept, "query_string": query}
