"""Output capture: what a model prints, in our log; never so much that it holds up the loop."""

import asyncio
import logging
import math
import os
from collections import deque

PIECE = 65_536
"""Bytes that are read at a time."""

REST = 0.05
"""Seconds between two pieces. A model that prints more than a megabyte a second has to wait."""

FULL = PIECE // 2
"""Bytes of a piece that was as much as the pipe holds: no page of it is less than half full."""

LINE_MAX = 500  # characters of a line
LINES = 20
"""Lines that are logged of a piece; the others are counted."""

KEPT = 12
"""Last lines that are kept, to tell why a model could not start."""

logger = logging.getLogger(__name__)


class OutputCapture:
    """Reads one pipe to its end, and closes it then.

    Args:
        model: Which model's it is, for the log.
        descriptor: The end of the pipe that is read; it is ours from now on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, model: str, descriptor: int) -> None:
        self._loop = loop
        self._model = model
        self._descriptor = descriptor
        self._begun = b""  # a line whose end has not arrived
        self._last: deque[str] = deque(maxlen=KEPT)
        self._resting: asyncio.TimerHandle | None = None
        self._full_at = -math.inf  # by the event loop's clock
        os.set_blocking(descriptor, False)
        loop.add_reader(descriptor, self._read)

    @property
    def last(self) -> str:
        """The last lines, to be shown in an error."""
        return "\n".join(self._last)

    @property
    def holds_up(self) -> bool:
        """Whether the model prints more than is read now, and has to wait for that."""
        return self._loop.time() - self._full_at < 4 * REST

    def close(self) -> None:
        """Read what is there, and no more."""
        if self._descriptor < 0:
            return
        self._loop.remove_reader(self._descriptor)
        if self._resting is not None:
            self._resting.cancel()
        self._take()
        if self._begun:
            self._log([self._begun])
        os.close(self._descriptor)
        self._descriptor = -1

    def _read(self) -> None:
        self._loop.remove_reader(self._descriptor)
        if self._take():
            self._resting = self._loop.call_later(REST, self._listen)

    def _listen(self) -> None:
        self._loop.add_reader(self._descriptor, self._read)

    def _take(self) -> bool:
        """Read a piece; tell whether there may be more."""
        try:
            piece = os.read(self._descriptor, PIECE)
        except BlockingIOError:
            return True
        if len(piece) >= FULL:
            self._full_at = self._loop.time()
        lines = (self._begun + piece).split(b"\n")
        self._begun = lines.pop()[: 4 * LINE_MAX]
        self._log(lines)
        return bool(piece)

    def _log(self, lines: list[bytes]) -> None:
        said = [line[: 4 * LINE_MAX].decode(errors="replace")[:LINE_MAX] for line in lines[-KEPT:]]
        self._last.extend(said)
        for line in lines[:LINES]:
            text = line[: 4 * LINE_MAX].decode(errors="replace")[:LINE_MAX]
            logger.info("a model says", extra={"model": self._model, "line": text})
        if len(lines) > LINES:
            more = {"model": self._model, "lines": len(lines) - LINES}
            logger.warning("a model says too much", extra=more)
