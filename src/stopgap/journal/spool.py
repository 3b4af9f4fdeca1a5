"""The spool: where an answer's record is safe before the answer leaves.

Each worker appends to segments of its own, in a folder that all workers share. What a record
survives, once `append` has returned, is told by the policy of `fsync`:

- `off`: the death of the worker and of the whole server, not the machine's: the system writes to
  the disk when it likes, commonly within half a minute.
- `interval`: the machine's too, but for its last second. (A killed worker's last second waits for
  the system.)
- `always`: the machine's too. A record then costs what the disk needs for it.

None of it outlives a disk that is emptied at each restart, as Heroku's is. There, what has been
drained into a database elsewhere is kept; a stop with the usual notice drains all.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from stopgap.clock import Ids, SystemClock
from stopgap.errors import StopgapError
from stopgap.journal.segment import BODY_MAX, append, begin, claim
from stopgap.storage.files import flush

logger = logging.getLogger(__name__)

Fsync = Literal["off", "interval", "always"]

SEGMENT_BYTES = 16 * 1024 * 1024
"""Where a segment ends: some 60,000 of MadCompany's answers. Disk is given back by the segment."""

SEGMENT_SECONDS = 86_400.0
"""And how long it is written to: what the journal has deleted may be in it for so long."""

FLUSH_SECONDS = 1.0

PROBE = bytes(4096)
"""As much as the smallest piece of a disk: where it has room, a record has."""


class SpoolUnwritable(StopgapError):
    """The answer cannot be put on record, and what has no record must not be answered."""

    retry_after = 5.0

    def __init__(self, reason: str) -> None:
        super().__init__(f"The answer cannot be put on record now: {reason}. Try again later.")


class Spool:
    """One worker's records on their way into the journal; made after the worker's fork.

    An append took 1 µs with `off` and `interval` (99 of 100 below 4 µs); with `always` the disk
    decides. To measure again, with a folder to be deleted afterwards:

        python -m timeit -s "from pathlib import Path; from stopgap.clock import RandomIds; \
            from stopgap.journal.spool import Spool; \
            spool = Spool(Path('measured'), RandomIds())" "spool.append(bytes(280))"
    """

    def __init__(
        self,
        folder: Path,
        ids: Ids,
        *,
        fsync: Fsync = "off",
        segment_bytes: int = SEGMENT_BYTES,
        monotonic: Callable[[], float] = SystemClock.monotonic,
    ) -> None:
        self._folder = folder
        self._ids = ids
        self._fsync = fsync
        self._always = fsync == "always"
        self._segment_bytes = segment_bytes
        self._monotonic = monotonic
        self._path = folder
        self._segment = -1  # its descriptor; none yet
        self._end = segment_bytes  # the segment's size; from this one on, a new one is due
        self._began = 0.0  # when the segment did
        self._lock = threading.Lock()
        self._flushed = 0
        self._unflushed: list[int] = []  # descriptors of full segments
        self._flusher: threading.Thread | None = None
        self._closed = threading.Event()
        self._kept = False  # a record since the last look, and none refused after it

    def append(self, body: bytes) -> None:
        """Keep a record; when this returns, the answer may leave.

        Raises:
            SpoolUnwritable: it was not kept. The next record is tried anew, in a new segment, so
                nobody has to do anything once there is room again.
        """
        if len(body) > BODY_MAX:
            raise SpoolUnwritable(f"its record would have {len(body)} bytes")
        with self._lock:
            try:
                if self._end >= self._segment_bytes:
                    self._begin()
                self._end += append(self._segment, body)
                if self._always:
                    os.fsync(self._segment)
                self._kept = True
            except OSError as error:
                self._kept = False
                self._cut()
                raise SpoolUnwritable(error.strerror or str(error)) from error

    def check(self) -> None:
        """See whether a record can be kept: one has been since the last look, or this tries.

        Nobody may ask for predictions of a server that is not well, so this does not wait for the
        next record to tell.

        Raises:
            SpoolUnwritable: none can be kept.
        """
        if self._kept:
            self._kept = False
            return
        probe = self._folder / f".probe-{self._ids.new()}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with probe.open("wb") as file:
                    claim(file.fileno())  # each segment has to be
                    file.write(PROBE)
                if self._always:
                    flush(probe)
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise SpoolUnwritable(error.strerror or str(error)) from error

    def renew(self) -> None:
        """Leave a segment that is a day old to the drainer, whether or not other records come.

        Beside the appends, which read no clock.
        """
        with self._lock:
            if self._monotonic() - self._began >= SEGMENT_SECONDS:
                self._let_go()

    def close(self) -> None:
        """Leave all that was written to the drainer; a late record begins a segment anew."""
        self._closed.set()
        if self._flusher:
            self._flusher.join()
        with self._lock:
            self._let_go()
        self._flush()

    def _begin(self) -> None:
        self._let_go()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._segment = begin(self._folder, self._ids)
        self._end = self._flushed = 0
        self._began = self._monotonic()
        if self._fsync != "off":
            flush(self._folder)  # its name must be on the disk, too
        if self._fsync == "interval" and self._flusher is None:
            flusher = threading.Thread(target=self._flush_often, daemon=True)
            with suppress(RuntimeError):  # no room for one: the next segment tries
                flusher.start()
                self._flusher = flusher

    def _cut(self) -> None:
        """Cut off what an error may have left of a frame, and never write to this segment again.

        A record that is whole stays: after a failed fsync it may have been drained already.
        """
        with suppress(OSError):  # a tail that stays is known for one when it is read
            os.ftruncate(self._segment, self._end)
        self._let_go()

    def _let_go(self) -> None:
        """Be done with the segment: the next record begins another."""
        descriptor, size = self._segment, self._end
        self._segment, self._end = -1, self._segment_bytes
        if descriptor < 0:
            return
        if size and self._fsync == "interval":
            self._unflushed.append(descriptor)
            return
        with suppress(OSError):
            os.close(descriptor)
        if not size:  # on a full disk, else, every refused answer would leave a file
            with suppress(OSError):
                self._path.unlink()

    def _flush_often(self) -> None:
        while not self._closed.wait(FLUSH_SECONDS):
            self._flush()

    def _flush(self) -> None:
        """Write through to the disk what the system still holds back, beside the appends."""
        for segment in self._due():
            try:
                os.fsync(segment)
            except OSError:
                logger.exception("the spool could not be flushed; it goes on in a new segment")
                with self._lock:
                    self._let_go()
            finally:
                with suppress(OSError):  # on a network's volume it may tell of a write that failed
                    os.close(segment)

    def _due(self) -> list[int]:
        """Hand out descriptors of what is not on the disk yet, to be flushed and closed."""
        with self._lock:
            due, self._unflushed = self._unflushed, []
            if self._fsync == "interval" and self._segment >= 0 and self._end > self._flushed:
                with suppress(OSError):  # too many files are open; the next second, then
                    due.append(os.dup(self._segment))
                    self._flushed = self._end
            return due
