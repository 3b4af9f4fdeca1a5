"""Intake: a request is read whole, bounded in size and time, before it costs a thread."""

import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BufferedRandom, BytesIO, RawIOBase
from time import monotonic
from typing import IO

from stopgap.errors import Overloaded
from stopgap.front.asgi import Message, Receive, Scope, declared_length, has_body
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
        self._all = SlowClients(places, seconds=seconds)
        self._large = SlowClients(LARGE)
        self._seldom = Seldom(monotonic)

    async def read(self, scope: Scope, receive: Receive, allowed: int) -> IO[bytes]:
        """Read a request's body whole; whoever has it closes it.

        Args:
            scope: The request's head.
            receive: Gives its body.
            allowed: Bytes that the body may have.

        Returns:
            A file at its beginning: a `BytesIO` if it is small, else one on the disk.

        Raises:
            AddressTooLong, BodyTooLarge, BodyLate, Overloaded: it is out of bounds.
            BodyMalformed: it ended early, and whoever stopped sending may still read the answer; or
                it comes in too small pieces.
            DiskFull: it is large, and there is no room for it where temporary files are.
        """
        if len(scope["raw_path"]) + len(scope["query_string"]) > ADDRESS_MAX:
            raise AddressTooLong(f"Path and query may have {ADDRESS_MAX} bytes together.")
        declared = declared_length(scope)
        if not (declared or has_body(scope)):
            return BytesIO()
        _allow(declared, allowed)
        client = ProgressTimeout()
        self._all.join(client)
        try:
            with step("body"):
                async with client:
                    return await self._copy(receive, client, allowed, declared)
        except TimeoutError as error:
            if client.evicted:
                raise Overloaded("The body came too slowly while others waited.") from error
            raise BodyLate(f"The body did not arrive within {self._seconds:g} seconds.") from error
        except DiskFull as error:
            if self._seldom.take_turn():
                logger.warning("a large body finds no room: %s", error.__cause__)
            raise
        finally:
            self._all.leave(client)

    def stop(self) -> None:
        """Read no more; whoever has not sent all is told so."""
        self._all.evict_all()

    async def _copy(
        self, receive: Receive, client: ProgressTimeout, allowed: int, declared: int
    ) -> IO[bytes]:
        """Read the body into a file, which is closed if it does not come to its end."""
        body: IO[bytes] = BytesIO()
        try:
            length, pieces, more = 0, 0, True
            while more:
                message = await receive()
                pieces += 1
                chunk = _chunk_of(message)
                length += len(chunk)
                _allow(length, allowed, pieces)
                if length > MEMORY_MAX and isinstance(body, BytesIO):
                    chunk, body = body.getvalue() + chunk, self._large_body(client)
                _keep(chunk, body)
                # one as long as declared has ended; to be told so costs another turn of the loop
                more = message.get("more_body", False) and (not declared or length < declared)
            _rewind(body)
        except BaseException:
            body.close()
            raise
        return body

    def _large_body(self, client: ProgressTimeout) -> "LargeBody":
        """Take one of the places on the disk.

        Raises:
            Overloaded: there is none, and nobody to make one.
            DiskFull: there is no room for a file.
        """
        self._large.join(client)
        leave = partial(self._large.leave, client)
        try:
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed with the body
        except OSError as error:
            leave()
            raise DiskFull from error
        return LargeBody(file, leave)


class LargeBody(BufferedRandom):
    """A body that waits on the disk.

    Args:
        leave: Gives its place there back.
    """

    def __init__(self, file: RawIOBase, leave: Callable[[], None]) -> None:
        super().__init__(file)
        self._leave = leave

    def close(self) -> None:
        """Give back what it has taken."""
        self._leave()
        with suppress(OSError):  # what found no room before finds none now, and that has been told
            super().close()


def _chunk_of(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise BodyMalformed("The body ended before it was whole.")
    chunk: bytes = message.get("body", b"")
    return chunk


def _keep(chunk: bytes, body: IO[bytes]) -> None:
    try:
        body.write(chunk)
    except OSError as error:  # whatever the reason, a large body finds no room there
        raise DiskFull from error


def _rewind(body: IO[bytes]) -> None:
    try:
        body.seek(0)  # which writes what is still to be written
    except OSError as error:
        raise DiskFull from error


def _allow(length: int, allowed: int, pieces: int = 0) -> None:
    if length > allowed:
        raise BodyTooLarge(f"The body may have {allowed} bytes.")
    if pieces > PIECES + length // PIECE:
        raise BodyMalformed(f"The body comes in pieces of less than {PIECE} bytes each.")
