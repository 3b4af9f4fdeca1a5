"""Sending: a short answer goes out whole, a long one as fast as it is read."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from io import BytesIO
from time import monotonic

from stopgap.clock import Ids
from stopgap.errors import Overloaded, StopgapError
from stopgap.front.answers import CLOSE, Headers, problem
from stopgap.front.asgi import Receive, Scope, Send, has_body
from stopgap.front.matching import asks_for_page
from stopgap.front.slow_clients import ProgressTimeout, SlowClients
from stopgap.front.wsgi import File, Reply
from stopgap.problems import InternalFault
from stopgap.telemetry.logs import Seldom

PIECE = 65_536
"""Bytes that are given to the server at once; it keeps them until the client has read them."""

HELD_BYTES = 128 * 1024 * 1024
"""Bytes of the long replies that are being sent from memory at once."""

READ_SECONDS = 30.0
"""Time in which a client has to read a piece."""

LINGER_SECONDS = 2.0
"""A connection that is closed on somebody who still sends is reset, and the answer is lost with it.
So who is refused may go on for a while; what comes is thrown away (as nginx's lingering_close)."""

LINGERERS = 100

logger = logging.getLogger(__name__)

Read = Callable[[int], Awaitable[bytes]]


class Sending:
    """Sends answers.

    Args:
        places: Files that are being sent at once.
    """

    def __init__(self, ids: Ids, *, places: int) -> None:
        self._ids = ids
        self.closing = False
        self._files = SlowClients(places)
        self._held = SlowClients(HELD_BYTES)
        self._lingerers = SlowClients(LINGERERS)
        self._seldom = Seldom(monotonic)

    def announce_end(self) -> None:
        """Tell every client from now on that its connection ends with the answer."""
        self.closing = True

    def stop(self) -> None:
        """Send no more to who reads slowly."""
        for clients in (self._files, self._held, self._lingerers):
            clients.evict_all()

    async def whole(self, status: int, headers: Headers, body: bytes, send: Send) -> None:
        """Send a short answer."""
        if self.closing:
            headers.append(CLOSE)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def reply(self, reply: Reply, send: Send, receive: Receive) -> None:
        """Send what the application has answered.

        Args:
            receive: Tells when the client goes, so that nothing long is sent to nobody.

        Raises:
            Overloaded: it is long, and too many others are being sent; nothing has been sent.
        """
        if isinstance(reply.body, File):
            with closing(reply.body) as file:
                read = partial(asyncio.to_thread, file.read)
                with self._reader(self._files) as client:
                    await self._in_pieces(reply, read, client, send, receive)
        elif len(reply.body) <= PIECE:
            await self.whole(reply.status, reply.headers, reply.body, send)
        else:
            with self._reader(self._held, size=len(reply.body)) as client:
                await self._in_pieces(reply, _reading(reply.body), client, send, receive)

    @contextmanager
    def _reader(self, readers: SlowClients, *, size: int = 1) -> Iterator[ProgressTimeout]:
        """Include a client who reads; when its time is over, the rest is not sent."""
        client = ProgressTimeout(READ_SECONDS, size=size)
        with readers.including(client):
            try:
                yield client
            except TimeoutError:
                if client.evicted and not self.closing and self._seldom.take_turn():
                    logger.warning("an answer was cut off: too many others are being read, too")

    async def _in_pieces(
        self, reply: Reply, read: Read, client: ProgressTimeout, send: Send, receive: Receive
    ) -> None:
        """Send a long reply; the connection of a client that does not read it is closed.

        So it is where a file cannot be read to its end: half of it must not pass for the whole.
        """
        async with client, _ending_with(receive, client):
            headers = [*reply.headers, CLOSE] if self.closing else reply.headers
            start = {"type": "http.response.start", "status": reply.status}
            await send(start | {"headers": headers})
            more = True
            while more:
                client.pause()  # a piece is made by a process that lets all others go first
                try:
                    piece = await read(PIECE)
                except OSError as error:
                    logger.warning("a file could not be sent to its end: %s", error)
                    return
                client.progressed()
                more = len(piece) == PIECE
                await send({"type": "http.response.body", "body": piece, "more_body": more})

    async def refuse(self, error: StopgapError, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not passed on, in the shape that Flask's errors have."""
        request_id = self._ids.new()
        if isinstance(error, InternalFault):
            told = {"request_id": request_id}
            logger.error("request failed", exc_info=error.__cause__ or error, extra=told)
        page = asks_for_page(scope["headers"])
        status, headers, body = problem(error, request_id, page=page)
        unread = has_body(scope)
        if unread and not self.closing:
            headers.append(CLOSE)
        await self.whole(status, headers, body, send)
        if unread:
            await self._linger(receive)

    async def _linger(self, receive: Receive) -> None:
        client = ProgressTimeout(LINGER_SECONDS)
        with suppress(TimeoutError, Overloaded), self._lingerers.including(client):
            async with client:
                while (await receive()).get("more_body"):
                    pass


@asynccontextmanager
async def _ending_with(receive: Receive, client: ProgressTimeout) -> AsyncIterator[None]:
    """End a time that has begun when its client goes."""
    going = asyncio.ensure_future(_notice_going(receive, client))
    try:
        yield
    finally:
        going.cancel()


async def _notice_going(receive: Receive, client: ProgressTimeout) -> None:
    """End a client's time when it goes; the server itself would take piece after piece."""
    while (await receive())["type"] != "http.disconnect":
        pass
    client.end()


def _reading(content: bytes) -> Read:
    """Read from memory as from a file."""
    file = BytesIO(content)

    async def read(size: int) -> bytes:
        return file.read(size)

    return read
