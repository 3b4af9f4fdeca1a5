"""The drain: from the workers' spools into the database, every record exactly once.

One drainer works on a folder at a time. It moves records in batches, and notes in the same
transaction how far it has come, so that whenever it is killed the next one goes on exactly there.
Where a standby or a backup takes the database's place, it goes on from what that one has. A
database that is away, locked or full only lets the spool grow. What cannot be moved at all, after
damage to the disk or by a fault of ours, holds nothing else up, and nothing of it is deleted: the
segment gets a second name that ends in `.damaged`, or a copy that does, which stays. A segment that
cannot be opened or read is passed over, until it can.

When little arrives, the drainer also merges the journal's old blocks: nobody else writes there.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stopgap.clock import Clock
from stopgap.journal import store
from stopgap.journal.backlog import keep_progress, sizes, waiting_bytes
from stopgap.journal.effort import Effort
from stopgap.journal.record import Record
from stopgap.journal.segment import claim, read, segments
from stopgap.journal.setting_aside import set_aside
from stopgap.storage.database import Database
from stopgap.storage.database_faults import AWAY, DatabaseUnreachable
from stopgap.telemetry.logs import Outage, Seldom

logger = logging.getLogger(__name__)

BATCH = 2_000
"""Records of one transaction. Into SQLite, 34,000 of MadCompany's went in a second; batches of
8,000 were no faster, of 500 a quarter slower. (`bench/journal.py` measures how they come in.)"""

BATCH_BYTES = 16 * 1024 * 1024
POLL_SECONDS = 0.2
"""How old a record becomes, on a quiet server, before it is moved."""

PATIENCE_SECONDS = 5.0
"""The longest pause after a failure; and how long the last words of ending workers are awaited."""

QUIET = 100
"""With fewer records moved in a step the server is quiet, and old blocks are merged. Beside a model
that had 32 callers, merging left them a third fewer answers while it lasted."""

REMIND_SECONDS = 600.0
"""Between two lines in the log while the database takes nothing; the cause may change meanwhile."""

AGAIN_SECONDS = 5.0
"""Between two tries of a segment that cannot be read or deleted: a broken disk takes its time."""

LOCK = "drainer.lock"


class Spooled(NamedTuple):
    """A record, and where it lies."""

    segment: str
    end: int  # the offset behind it
    record: Record


class Drainer:
    """Moves what is spooled into the database.

    Args:
        folder: Where the workers' segments are.
        database: The journal's.
        clock: Tells how long the end may take, and when to tell again what lasts.
        settle: Puts on the disk what the database has committed. Called before a segment is
            deleted, because SQLite, as it is set up here, may lose its last commits to a power cut.
        effort: Has each step done in a thread that yields to all others or, where much waits, in
            one that does not; None: each is done in the thread that drains.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        clock: Clock,
        *,
        settle: Callable[[], object] = lambda: None,
        effort: Effort | None = None,
    ) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock
        self._settle = settle
        self._effort = effort
        self._offsets: dict[str, int] = {}  # as the database told them, or was told
        self._failures = 0
        self._reminder = Seldom(clock.monotonic, REMIND_SECONDS)
        self._moved = 0  # records, in the last step
        self._grown = False  # since it was last looked whether blocks can be merged
        self._ending = False
        self._passed_over: dict[str, float] = {}  # names of segments, and when each is tried again

    def run(self, stop: threading.Event) -> None:
        """Drain until told to stop; then what is left, and what ending workers still write."""
        with self._turn(stop) as ours:
            if not ours:
                return
            while not stop.is_set():
                stop.wait(self._step())
            self._ending = True
            if self._effort:
                self._effort.hurry()
            deadline = self._clock.monotonic() + PATIENCE_SECONDS
            self._passed_over = dict.fromkeys(self._passed_over, 0.0)
            while segments(self._folder) and self._clock.monotonic() < deadline:
                pause = self._step()
                if not self._awaited():
                    break
                time.sleep(min(pause, POLL_SECONDS / 4))

    def drain(self) -> bool:
        """Move one batch, and delete the segments that are done with; tell whether more waits.

        Raises:
            DatabaseUnreachable, DatabaseFull: the database takes nothing now.
        """
        batch, ended, more = self._gather()
        self._moved = len(batch)
        if batch:
            self._move(batch)
        for path in ended:
            self._delete_if_done(path)
        return more

    def _awaited(self) -> bool:
        """Tell whether there are segments that can be moved, or still are written."""
        return any(path.name not in self._passed_over for path in segments(self._folder))

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[bool]:
        """Wait until no other drainer works here; tell whether it came to that before the stop."""
        lock = self._open_lock(stop)
        if lock is None:
            yield False
            return
        with lock:
            while not (ours := claim(lock.fileno())) and not stop.wait(POLL_SECONDS):
                pass
            yield ours

    def _open_lock(self, stop: threading.Event) -> BinaryIO | None:
        """Open the lock's file; None: it came to the stop before that could be done."""
        outage = Outage()
        while True:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with ExitStack() as undone:
                    lock = undone.enter_context((self._folder / LOCK).open("ab"))
                    claim(lock.fileno())  # if another has it, it is awaited
                    undone.pop_all()
            except OSError as error:  # it may be another user's, or a volume without locks
                if outage.failed():
                    logger.warning("the journal waits in its spool: %s", error)
            else:
                if outage.recovered():
                    logger.info("the journal is being drained again")
                return lock
            if stop.wait(PATIENCE_SECONDS):
                return None

    def _step(self) -> float:
        return self._effort.do(self._try) if self._effort else self._try()

    def _try(self) -> float:
        """Do one step if the database lets us; tell how many seconds to wait before the next."""
        try:
            more = self.drain() or self._merge()
        except Exception as error:
            if self._reminder.take_turn() or not self._failures:
                known = isinstance(error, AWAY)
                logger.warning("the journal waits in its spool: %s", error, exc_info=not known)
            self._failures += 1
            return min(PATIENCE_SECONDS, POLL_SECONDS * self._failures)
        if self._failures:
            logger.info("the journal is being drained again")
            self._failures = 0
        return 0.0 if more else POLL_SECONDS

    def _merge(self) -> bool:
        """Merge old blocks of the journal if all is quiet; tell whether there may be more."""
        if self._ending or not self._grown or self._moved >= QUIET:
            return False
        self._grown = False
        try:
            with self._database.write(unbounded=True) as connection:
                self._grown = store.merge(connection)
        except Exception as error:
            known = isinstance(error, AWAY)
            logger.warning("old blocks could not be merged: %s", error, exc_info=not known)
        return self._grown

    def _gather(self) -> tuple[list[Spooled], list[Path], bool]:
        """Read one batch, the oldest segment first.

        Tell as well which segments it has read out, and whether more waits.
        """
        batch: list[Spooled] = []
        ended: list[Path] = []
        room = BATCH_BYTES
        there = segments(self._folder)
        names = {path.name for path in there}
        for known in (self._offsets, self._passed_over):
            for gone in known.keys() - names:
                del known[gone]
        now = self._clock.monotonic()
        for path in there:
            segment = path.name
            if self._passed_over.get(segment, now) > now:
                continue
            offset = self._offset(segment)
            with self._passing_over(path):
                for end, record in read(path, offset, damaged=partial(set_aside, path)):
                    batch.append(Spooled(segment, end, record))
                    room -= end - offset
                    offset = end
                    if len(batch) == BATCH or room <= 0:
                        return batch, ended, True
                ended.append(path)
        return batch, ended, False

    @contextmanager
    def _passing_over(self, path: Path) -> Iterator[None]:
        """Leave a segment for later if it cannot be opened, read or deleted; say so once."""
        try:
            yield
        except FileNotFoundError:
            return  # its writer had no room in it, and took it away
        except OSError as error:
            if path.name not in self._passed_over:
                told = "%s stays in the spool until it can be read and deleted: %s"
                logger.warning(told, path.name, error)
            self._passed_over[path.name] = self._clock.monotonic() + AGAIN_SECONDS

    def _offset(self, segment: str) -> int:
        if segment not in self._offsets:
            with self._database.read(unbounded=True) as connection:
                self._offsets[segment] = store.offset(connection, segment)
            # The drainer before may have been killed before it could.
            keep_progress(self._folder, self._offsets)
        return self._offsets[segment]

    def _move(self, batch: Sequence[Spooled]) -> None:
        """Move a batch; a record that the database refuses is found by halves, and set aside."""
        ends = {each.segment: each.end for each in batch}
        try:
            self._write([each.record for each in batch], ends)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001  # told with its record, where one is left
            if len(batch) == 1:
                self._refused(batch[0], error)
                return
        else:
            return
        middle = len(batch) // 2
        self._move(batch[:middle])
        self._move(batch[middle:])

    def _refused(self, spooled: Spooled, refusal: Exception) -> None:
        """Set a segment aside of which the database takes everything but this record."""
        segment, end, record = spooled
        self._write([], {segment: self._offsets[segment]})  # is it the record, or everything?
        logger.error("the journal refuses record %s", record.id, exc_info=refusal)
        set_aside(self._folder / segment)
        self._write([], {segment: end})

    def _write(self, records: Sequence[Record], ends: Mapping[str, int]) -> None:
        """Keep records, and how far we have come with them: both, or neither."""
        with self._database.write(unbounded=True) as connection:
            self._compare({each: store.offset(connection, each) for each in ends})
            if records:
                store.insert(connection, records)
            for segment, end in ends.items():
                store.set_offset(connection, segment, end)
        self._grown = self._grown or bool(records)
        self._offsets.update(ends)
        keep_progress(self._folder, self._offsets)

    def _compare(self, found: Mapping[str, int]) -> None:
        """See that the database still has of some segments what is known to be in it.

        Raises:
            DatabaseUnreachable: it has less, so from now on what it says itself is believed.
        """
        if any(offset < self._offsets[segment] for segment, offset in found.items()):
            self._offsets.clear()
            self._failures = 0  # this is news, even if it was away until now
            told = "it has lost its last answers; what of them is still here is moved once more"
            raise DatabaseUnreachable(self._database.name, told)

    def _delete_if_done(self, path: Path) -> None:
        """Delete a segment that has been moved to its end, and whose writer is gone.

        Its offset is forgotten first: killed in between, we move it once more, and nothing is
        doubled, because a record's id is unique.
        """
        damaged = partial(set_aside, path)
        with self._passing_over(path):
            with path.open("r+b") as file:
                # its writer may have written just before it went
                if claim(file.fileno()) and not any(
                    read(path, self._offsets[path.name], damaged=damaged)
                ):
                    self._delete(path)
            self._passed_over.pop(path.name, None)

    def _delete(self, path: Path) -> None:
        self._put_on_disk()
        with self._database.write(unbounded=True) as connection:
            self._compare({path.name: store.offset(connection, path.name)})
            store.forget_offset(connection, path.name)
        try:
            path.unlink(missing_ok=True)
        except OSError:  # else all of it would be moved once more, each time
            with self._database.write(unbounded=True) as connection:
                store.set_offset(connection, path.name, self._offsets[path.name])
            raise
        del self._offsets[path.name]
        keep_progress(self._folder, self._offsets)

    def _put_on_disk(self) -> None:
        try:
            self._settle()
        except OSError as error:  # which is the database's fault, and no segment's
            told = f"what it has committed cannot be put on the disk: {error}"
            raise DatabaseUnreachable(self._database.name, told) from error


def catch_up(folder: Path, database: Database, clock: Clock, seconds: float) -> int:
    """See that what is in a spool now comes into the database; tell the bytes that have not.

    Where another process drains, it is awaited; else this one does.

    Args:
        folder: Where the workers' segments are, if there has been one.
        database: The journal's.
        clock: Tells how long it takes.
        seconds: Of trying, at most.

    Raises:
        DatabaseUnreachable, DatabaseFull: the database takes nothing now.
    """
    ends = sizes(folder)
    if not ends:
        return 0
    deadline = clock.monotonic() + seconds
    drainer = Drainer(folder, database, clock, settle=database.settle)
    try:
        with (folder / LOCK).open("ab") as lock:
            while clock.monotonic() < deadline:
                if claim(lock.fileno()):  # what is noted may be about another database: ask this
                    if not drainer.drain():
                        break
                elif waiting_bytes(folder, ends):
                    time.sleep(POLL_SECONDS / 4)
                else:
                    break
    except OSError as error:
        logger.warning("the spool cannot be drained: %s", error)
    return sum(waiting_bytes(folder, ends))
