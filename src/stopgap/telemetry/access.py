"""The access log: one line for every request that was answered; for who wants it."""

import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted

FLUSH_SECONDS = 0.5
"""How often `flush` is to be called; so long a killed worker's last lines are."""

PATH_MAX = 1_000
"""Bytes of a path that are told: a line is shorter than what goes into a pipe whole."""

PIECE = select.PIPE_BUF
"""Bytes that are written at once; other processes' lines come between, but not within."""

SECOND = 1_000_000


class AccessLog:
    """Notes requests in memory, and writes them when told to, in lines like those of `logs`.

    A line takes 3 µs (`timeit` on `note`).

    Args:
        microseconds: The time of day.
        write: Takes bytes at once; the outlet's, which bounds what waits.
    """

    def __init__(self, microseconds: Callable[[], int], write: Callable[[bytes], object]) -> None:
        self._microseconds = microseconds
        self._write = write
        self._lines: deque[bytes] = deque()  # whose two ends need no lock
        self._flushing = threading.Lock()
        self._second, self._shown = -1, ""

    def note(  # noqa: PLR0917  # called once a request, by position, which costs less
        self,
        method: str,
        path: bytes,
        status: int,
        request_id: bytes,
        micros: int,
        address: str,
    ) -> None:
        """Note a request; from one thread, that of the event loop.

        Args:
            method: As it was sent.
            path: As it was sent; never the query, where programs put passwords and keys.
            status: Of the answer; 0: the client went before there was one.
            request_id: As the client was told it.
            micros: From the request's head to the answer's last byte.
            address: The client's.
        """
        second, fraction = divmod(self._microseconds(), SECOND)
        if second != self._second:
            self._second = second
            self._shown = datetime.fromtimestamp(second, UTC).isoformat()[:19]
        shown = quoted(path[:PATH_MAX].decode("latin-1"))
        line = (
            f'{{"time": "{self._shown}.{fraction:06d}+00:00", "level": "info", '
            f'"logger": "stopgap.access", "event": "request", '
            f'"request_id": "{request_id.decode("latin-1")}", "method": {quoted(method[:20])}, '
            f'"path": {shown}, "status": {status}, "micros": {micros}, '
            f'"address": {quoted(address)}}}\n'
        )
        self._lines.append(line.encode())

    def flush(self) -> None:
        """Write what has been noted; from any thread."""
        with self._flushing:
            for piece in self._pieces(len(self._lines)):
                self._write(piece)

    def _pieces(self, count: int) -> Iterator[bytes]:
        """Take so many lines out, and join those that can be written together."""
        piece = b""
        for _ in range(count):
            line = self._lines.popleft()
            if piece and len(piece) + len(line) > PIECE:
                yield piece
                piece = b""
            piece += line
        if piece:
            yield piece
