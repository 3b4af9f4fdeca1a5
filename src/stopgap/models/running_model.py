"""A running model: in a process, from when it is warm until that has ended.

Measured, of the worker's own time: 6 to 8 µs a row with 32 or 128 callers of a model that takes
3 ms a batch, and 120 µs for a row that goes alone. To measure it again, compare `time.process_time`
before and after some thousands of a slot's `answer`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from stopgap.contracts.row import Row
from stopgap.models.answering import decoded
from stopgap.models.batcher import Batcher
from stopgap.models.bringing import Bringing
from stopgap.models.failures import ModelDied
from stopgap.models.frames import ANSWER, ASK, ASK_ONCE, Frame, pack
from stopgap.models.process import Process
from stopgap.models.specification import Specification

WORDS_MAX = 200
"""Characters of a model's last words that are told with its end: a verification keeps 300."""


class RunningModel:
    """Listens to a process that is ready: it answers one call after the other.

    Args:
        ended: Called when the process is no more, with the reason, and the seconds for which it was
            ready; those whom it was answering have been told.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        process: Process,
        specification: Specification,
        bring: Bringing,
        *,
        ended: Callable[[str, float], None],
    ) -> None:
        self.batcher = Batcher(
            loop,
            send=self._send,
            overdue=self._hang,
            bring=bring,
            most=specification.batch,
            deadline=specification.deadline,
            burden=lambda: process.burden,
        )
        self._hung = f"It hung for {specification.deadline:g} s."
        self._process = process
        self._ended = ended
        self._number = 0  # of the last call
        self._began = time.monotonic()
        process.listener = self

    def received(self, frame: Frame) -> None:
        """Give the answers to those who wait for them."""
        count = self.batcher.flying
        if frame.sort != ANSWER or frame.number != self._number or not count:
            self._process.kill("It answered what it had not been asked.")
            return
        try:
            outputs = decoded(frame.body, count)
        except ValueError:
            self._process.kill("It sent an answer that cannot be read.")
            return
        self.batcher.answered(outputs)

    def gone(self, reason: str, last_words: str) -> None:
        """Tell those who are being answered, then whoever keeps the model.

        That one is not told the last words: each worker's may be others, with a time or a number.
        """
        words = shown(last_words)
        self.batcher.end(partial(ModelDied, f"{reason} It said last: {words}" if words else reason))
        self._ended(reason, time.monotonic() - self._began)

    def _hang(self) -> None:
        self._process.kill(f"{self._hung} {self._process.burden}".rstrip())

    def _send(self, rows: Sequence[Row], whole: bool) -> None:  # noqa: FBT001  # as batchers call
        self._number = (self._number + 1) & 0xFFFF_FFFF
        body = b"\n".join([row.json for row in rows])
        self._process.send(pack(self._number, ASK_ONCE if whole else ASK, body))


def shown(words: str) -> str:
    """Make a line of what a model has printed, which may be anything; its end tells the most."""
    line = " ".join(words.split())
    line = line if len(line) <= WORDS_MAX else "…" + line[-WORDS_MAX:]
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
