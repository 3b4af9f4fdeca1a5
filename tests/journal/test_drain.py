"""The drain: from the spool into the database, every record exactly once."""

import errno
import fcntl
import json
import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text
from tests.fakes import FakeClock
from tests.journal import spooling
from tests.journal.records import encode, is_free, record, records

from stopgap.clock import RandomIds, SystemClock
from stopgap.journal import drain, store
from stopgap.journal.backlog import PROGRESS, backlog, damaged
from stopgap.journal.drain import Drainer, catch_up
from stopgap.journal.drain_process import drain_process
from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.journal.segment import SUFFIX, begin, claim, segments
from stopgap.journal.spool import Spool
from stopgap.journal.store.tables import metadata
from stopgap.storage.database import Database, open_database
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.storage.history import JOURNAL, migrate

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
IDS = text("SELECT id FROM journal_records ORDER BY position")
OFFSETS = text("SELECT count(*) FROM journal_offsets")


@pytest.fixture
def drainer(tmp_path: Path, journal_database: Database) -> Drainer:
    """Give a drainer of the spool in `tmp_path / "spool"`."""
    return Drainer(tmp_path / "spool", journal_database, SystemClock())


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Give a worker's spool of small segments."""
    with closing(Spool(tmp_path / "spool", RandomIds(), segment_bytes=5000)) as opened:
        yield opened


@contextmanager
def running(drainer: Drainer) -> Iterator[None]:
    """Run a drainer beside the test; stop it at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=drainer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def append(spool: Spool, some: Sequence[Record]) -> None:
    """Spool some records."""
    for each in some:
        spool.append(encode(each))


def kept(journal: Database) -> list[str]:
    """Read the ids of all records of a journal."""
    with journal.read() as connection:
        return list(connection.scalars(IDS))


def has_grown(journal: Database, count: int) -> bool:
    """Tell whether a journal has more than `count` records."""
    return len(kept(journal)) > count


def offsets(journal: Database) -> int | None:
    """Count the segments whose offset is known."""
    with journal.read() as connection:
        found: int | None = connection.scalar(OFFSETS)
    return found


def all_rows(journal: Database) -> dict[str, Sequence[Row[Any]]]:
    """Read everything that is in a journal's tables, as a standby or a backup has it."""
    with journal.read() as connection:
        return {
            table.name: connection.execute(table.select()).all() for table in metadata.sorted_tables
        }


def fall_back(journal: Database, rows: dict[str, Sequence[Row[Any]]]) -> None:
    """Let a journal's tables be as they were earlier."""
    with journal.write() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
            for row in rows[table.name]:
                connection.execute(table.insert(), row._asdict())


def names(some: Sequence[Record]) -> list[str]:
    """Tell the ids of records."""
    return [each.id for each in some]


def wait_for(reached: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_old_blocks_are_merged_when_nothing_waits(
    tmp_path: Path, journal_database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who drains also merges blocks, once all that was spooled has been moved."""
    monkeypatch.setattr(store, "insert", partial(store.insert, block_records=2))
    monkeypatch.setattr(store, "merge", partial(store.merge, block_records=2))
    append(spool, some := records(100))
    blocks = text("SELECT count(*), max(records) FROM journal_blocks")

    def merged() -> bool:
        with journal_database.read() as connection:
            return connection.execute(blocks).one() == (50 - 5 * 7, 16)

    with running(Drainer(tmp_path / "spool", journal_database, SystemClock())):
        wait_for(merged)
    assert kept(journal_database) == names(some)


def test_a_merge_that_fails_holds_nothing_up(
    drainer: Drainer,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Blocks that cannot be merged are left, with a word; what is spooled is moved as ever."""

    def fail(_connection: Connection) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(store, "merge", fail)
    append(spool, records(1))
    assert [drainer._try(), drainer._try()] == [drain.POLL_SECONDS] * 2
    assert [each.getMessage() for each in caplog.records] == ["old blocks could not be merged: "]


def test_nothing_is_merged_while_there_is_much_to_do(
    drainer: Drainer, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merging waits for a step that had few records to move."""
    merged: list[Connection] = []
    monkeypatch.setattr(store, "merge", merged.append)
    monkeypatch.setattr(drain, "QUIET", 5)
    append(spool, records(5))
    drainer._try()
    assert not merged
    append(spool, records(4))
    drainer._try()
    assert len(merged) == 1


def test_nothing_is_merged_at_the_end(
    drainer: Drainer, journal_database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a server's end does not wait for blocks."""
    merged: list[Connection] = []
    monkeypatch.setattr(store, "merge", merged.append)
    stop = threading.Event()
    stop.set()
    append(spool, some := records(3))
    spool.close()
    drainer.run(stop)
    assert kept(journal_database) == names(some)
    assert not merged


def test_everything_is_moved(tmp_path: Path, journal_database: Database, spool: Spool) -> None:
    """Records of living and dead workers are moved; what is done with is deleted and forgotten."""
    some = records(100)
    append(spool, some)
    drainer = Drainer(tmp_path / "spool", journal_database, SystemClock())
    assert not drainer.drain()
    assert kept(journal_database) == names(some)
    assert (len(segments(tmp_path / "spool")), offsets(journal_database)) == (1, 1)
    spool.close()
    drainer.drain()
    assert (len(segments(tmp_path / "spool")), offsets(journal_database)) == (0, 0)


def test_a_living_worker_is_followed(
    drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """What a worker appends after a batch comes with the next one, and nothing comes again."""
    some = records(40)
    for each in some:
        append(spool, [each])
        drainer.drain()
    assert kept(journal_database) == names(some)


def test_segments_that_are_taken_away(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """A writer without room takes its empty segment away at any moment; that troubles nobody."""
    some, stop = records(5), threading.Event()
    append(spool, some)

    def come_and_go() -> None:
        ids = RandomIds()
        while not stop.is_set():
            path = tmp_path / "spool" / f"{ids.new()}{SUFFIX}"
            path.touch()
            path.unlink(missing_ok=True)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            drainer.drain()
    finally:
        stop.set()
        thread.join()
    assert kept(journal_database) == names(some)


def test_what_is_taken_away_is_forgotten(tmp_path: Path, drainer: Drainer, spool: Spool) -> None:
    """How far a segment was moved is not remembered once its writer has taken it away."""
    folder = tmp_path / "spool"
    append(spool, records(1))
    path, descriptor = begin(folder, RandomIds())
    drainer.drain()
    path.unlink()
    os.close(descriptor)
    append(spool, records(1))
    drainer.drain()
    progress = json.loads((folder / PROGRESS).read_text())
    assert list(progress) == [each.name for each in segments(folder)]


def test_another_drainer_goes_on(tmp_path: Path, journal_database: Database, spool: Spool) -> None:
    """A new drainer goes on where the one before it has come to."""
    some = records(30)
    for each in some:
        append(spool, [each])
        Drainer(tmp_path / "spool", journal_database, SystemClock()).drain()
    assert kept(journal_database) == names(some)


def test_many_batches(tmp_path: Path, drainer: Drainer, journal_database: Database) -> None:
    """A long backlog is moved in batches, and a drainer says whether more of it waits."""
    with closing(Spool(tmp_path / "spool", RandomIds(), segment_bytes=300_000)) as spool:
        append(spool, some := records(4500))
    assert [drainer.drain() for _ in range(3)] == [True, True, False]
    assert kept(journal_database) == names(some)
    assert segments(tmp_path / "spool") == []


def test_a_moved_end_that_is_lost(tmp_path: Path, journal_database: Database) -> None:
    """What a power cut took from a segment after it had been moved keeps nothing else waiting."""
    folder = tmp_path / "spool"
    with closing(Spool(folder, RandomIds())) as spool:
        append(spool, early := records(10))
        Drainer(folder, journal_database, SystemClock()).drain()
        (cut,) = segments(folder)
        os.truncate(cut, cut.stat().st_size // 2)
    with closing(Spool(folder, RandomIds())) as spool:
        append(spool, late := records(10))
    with running(Drainer(folder, journal_database, SystemClock())):
        wait_for(lambda: segments(folder) == [])
    assert sorted(kept(journal_database)) == sorted(names(early + late))
    assert damaged(folder) == []


def test_a_volume_without_locks(
    tmp_path: Path,
    journal_database: Database,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the drainer's file cannot be locked it says so once, and waits until it can."""
    tries = []

    def flock(descriptor: int, _how: int) -> None:
        tries.append(descriptor)
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    append(spool, some := records(3))
    monkeypatch.setattr(drain, "PATIENCE_SECONDS", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        with running(Drainer(tmp_path / "spool", journal_database, SystemClock())):
            wait_for(lambda: len(tries) > 2)
            patch.undo()
            wait_for(lambda: kept(journal_database) == names(some))
    assert [each.getMessage() for each in caplog.records] == [
        "the journal waits in its spool: [Errno 37] No locks available"
    ]


@pytest.mark.usefixtures("nfs")
def test_a_volume_of_nfs(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """Where only what is open for writing can be locked, all is moved and deleted as elsewhere."""
    append(spool, some := records(100))
    spool.close()
    drainer.drain()
    assert kept(journal_database) == names(some)
    assert segments(tmp_path / "spool") == []


def test_a_torn_tail_is_cut(tmp_path: Path, drainer: Drainer, journal_database: Database) -> None:
    """A dead worker's last record, if it is not whole, goes with its segment, as if never begun."""
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some := records(3))
    (path,) = segments(tmp_path / "spool")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 10)
    drainer.drain()
    assert kept(journal_database) == names(some[:2])
    assert list((tmp_path / "spool").glob("0*")) == []


def test_damage_is_set_aside(tmp_path: Path, drainer: Drainer, journal_database: Database) -> None:
    """A damaged segment stays under another name, and all else in it is moved."""
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some := records(3))
    (path,) = segments(tmp_path / "spool")
    content = path.read_bytes().replace(some[1].id.encode(), b"?" * 36)
    path.write_bytes(content)
    drainer.drain()
    assert kept(journal_database) == names([some[0], some[2]])
    assert segments(tmp_path / "spool") == []
    (aside,) = damaged(tmp_path / "spool")
    assert aside.read_bytes() == content


@pytest.mark.parametrize("fault", ["directory", "loop", "disk"])
def test_what_cannot_be_read_holds_nothing_up(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A segment that cannot be read is told once, and waits; once it can be, it is moved."""
    monkeypatch.setattr(drain, "AGAIN_SECONDS", 0.0)
    folder, some = tmp_path / "spool", records(3)
    with closing(Spool(folder, RandomIds())) as spool:
        append(spool, some[:1])
    (first,) = segments(folder)
    with closing(Spool(folder, RandomIds())) as spool:
        append(spool, some[1:])
    with unreadable_segment(first, fault, monkeypatch) as shut:
        assert [drainer._try() for _ in range(3)] == [drain.POLL_SECONDS] * 3
        assert kept(journal_database) == names(some[1:])
        assert segments(folder) == [shut]
        assert backlog(folder).files == (fault != "loop")
        assert catch_up(folder, journal_database, SystemClock(), 20) == backlog(folder).bytes
        began = time.monotonic()
        with running(drainer):
            pass
        assert time.monotonic() - began < drain.PATIENCE_SECONDS
    told = [each for each in caplog.messages if each.startswith(f"{shut.name} stays in the spool")]
    assert told == caplog.messages
    assert len(told) == 1 + (fault != "loop")  # by the drainer, and by the one that caught up
    drainer._try()
    assert sorted(kept(journal_database)) == sorted(names(some))
    assert (segments(folder), offsets(journal_database)) == ([], 0)
    assert damaged(folder) == []


def test_a_fault_that_has_passed_loses_nothing_at_the_stop(
    spool: Spool,
    drainer: Drainer,
    journal_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A segment that could not be read for a moment is drained to its end before the stop."""
    some = records(3)
    append(spool, some[:1])
    (path,) = segments(tmp_path / "spool")
    with unreadable_segment(path, "disk", monkeypatch):
        drainer._try()
        drainer._try()
    assert kept(journal_database) == []  # it is tried again later
    with running(drainer):
        append(spool, some[1:])
        spool.close()
    assert kept(journal_database) == names(some)
    assert (segments(tmp_path / "spool"), offsets(journal_database)) == ([], 0)


def test_a_disk_that_takes_no_commits_is_no_segments_fault(
    tmp_path: Path, journal_database: Database
) -> None:
    """Where the database cannot be put on the disk, nothing is deleted; no segment is blamed."""
    folder = tmp_path / "spool"
    with closing(Spool(folder, RandomIds())) as spool:
        append(spool, records(1))

    def settle() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    drainer = Drainer(folder, journal_database, SystemClock(), settle=settle)
    with pytest.raises(DatabaseUnreachable, match="cannot be put on the disk"):
        drainer.drain()
    assert (len(segments(folder)), offsets(journal_database)) == (1, 1)


@contextmanager
def unreadable_segment(path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let a segment be no file, or one of a broken disk, for a while."""
    if fault == "disk":
        broken, real = path.stat().st_ino, os.pread

        def pread(file: int, size: int, offset: int) -> bytes:
            if os.fstat(file).st_ino == broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(file, size, offset)

        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", pread)
            yield path
        return
    path.rename(path.with_suffix(".away"))
    if fault == "directory":
        path.mkdir()
        yield path
        path.rmdir()
    else:
        path.symlink_to(path.name)
        yield path
    path.with_suffix(".away").replace(path)


def test_what_cannot_be_deleted_holds_nothing_up(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A segment that has been moved, and cannot be deleted, is told once, and not moved again."""
    refused = []

    def refuse(path: Path, **_: bool) -> None:
        refused.append(path)
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    folder, some = tmp_path / "spool", records(2)
    for each in some:
        with closing(Spool(folder, RandomIds())) as spool:
            append(spool, [each])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert [drainer._try() for _ in range(3)] == [drain.POLL_SECONDS] * 3
        assert kept(journal_database) == names(some)
        assert (offsets(journal_database), backlog(folder)) == (2, (0, 0))
        assert len(refused) == 2  # each is left alone for a while
    assert [each.split()[0] for each in caplog.messages] == [path.name for path in segments(folder)]
    with running(drainer):
        pass
    assert (segments(folder), offsets(journal_database)) == ([], 0)


def test_what_somebody_else_deletes_is_forgotten(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a segment that is gone when it is to be deleted, no offset stays."""
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, records(1))
    unlink = Path.unlink

    def twice(path: Path, **options: bool) -> None:
        unlink(path)
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", twice)
        drainer._try()
    assert (segments(tmp_path / "spool"), offsets(journal_database)) == ([], 0)


def test_what_the_database_refuses_holds_nothing_up(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A record that the database will not have is set aside, and everything around it is moved."""
    some = records(50)
    some[20] = record(at=2**80)
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some)
    drainer.drain()
    assert kept(journal_database) == names(some[:20] + some[21:])
    assert len(damaged(tmp_path / "spool")) == 1
    (refused,) = [each for each in caplog.records if "refuses record" in each.getMessage()]
    assert refused.exc_info
    assert getattr(refused.exc_info[1], "__context__", None) is getattr(
        refused.exc_info[1], "__cause__", None
    )  # not the refusals of all the halves before


def test_a_segment_set_aside_can_be_tried_again(
    tmp_path: Path, drainer: Drainer, journal_database: Database
) -> None:
    """Named back, a segment is drained once more, and adds only what was missing."""
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some := records(3))
    (path,) = segments(tmp_path / "spool")
    content = path.read_bytes()
    path.write_bytes(content.replace(some[1].id.encode(), b"?" * 36))
    drainer.drain()
    (aside,) = damaged(tmp_path / "spool")
    aside.write_bytes(content)
    aside.rename(path)
    drainer.drain()
    assert kept(journal_database) == names(some)


def test_a_volume_without_second_names(
    tmp_path: Path, drainer: Drainer, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a segment is copied, and so is what is added to it; the copy can be tried again."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    some = records(6)
    some[1::2] = [record(at=2**80) for _ in range(3)]
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some[:3])
        drainer.drain()
        append(spool, some[3:])
        drainer.drain()
        (path,) = segments(tmp_path / "spool")
        content = path.read_bytes()
    drainer.drain()
    assert segments(tmp_path / "spool") == []
    (aside,) = damaged(tmp_path / "spool")
    assert (aside.read_bytes(), aside.stat().st_mode & 0o777) == (content, 0o600)
    aside.rename(aside.with_suffix(SUFFIX))
    drainer.drain()
    assert kept(journal_database) == names(some[::2])
    assert len(damaged(tmp_path / "spool")) == 1


def test_nothing_is_deleted_before_it_is_safe(
    tmp_path: Path, journal_database: Database, spool: Spool
) -> None:
    """What the database has taken is put on its disk before a segment goes."""
    seen: list[int] = []

    def settle() -> None:
        seen.append(len(segments(tmp_path / "spool")))

    append(spool, records(20))
    spool.close()
    count = len(segments(tmp_path / "spool"))
    Drainer(tmp_path / "spool", journal_database, SystemClock(), settle=settle).drain()
    assert seen == list(range(count, 0, -1))


def test_an_offset_is_forgotten_before_its_segment_goes(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the offset cannot be forgotten the segment stays, and both go the next time."""

    def fail(_connection: Connection, _segment: str) -> None:
        raise ZeroDivisionError

    append(spool, some := records(3))
    spool.close()
    with monkeypatch.context() as failing:
        failing.setattr(store, "forget_offset", fail)
        with pytest.raises(ZeroDivisionError):
            drainer.drain()
    assert (len(segments(tmp_path / "spool")), offsets(journal_database)) == (1, 1)
    drainer.drain()
    assert (len(segments(tmp_path / "spool")), offsets(journal_database)) == (0, 0)
    assert kept(journal_database) == names(some)


def test_a_database_can_be_settled(journal_database: Database) -> None:
    """What has been committed is put on the disk, whether or not there is anything to do."""
    journal_database.settle()
    with journal_database.write() as connection:
        store.insert(connection, records(3))
    journal_database.settle()
    assert len(kept(journal_database)) == 3


def test_the_backlog_is_what_waits(tmp_path: Path, drainer: Drainer, spool: Spool) -> None:
    """The backlog is what has not been moved, though the segment of a living worker stays."""
    folder = tmp_path / "spool"
    assert backlog(folder) == (0, 0)
    append(spool, records(30))
    assert backlog(folder) == (
        len(segments(folder)),
        sum(path.stat().st_size for path in segments(folder)),
    )
    drainer.drain()
    assert backlog(folder) == (0, 0)
    append(spool, [one := record()])
    assert backlog(folder) == (1, 8 + len(encode(one)))


def test_the_backlog_is_told_after_a_sudden_end(
    tmp_path: Path, journal_database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drainer that died between a batch and the word of it leaves no backlog that is none."""
    append(spool, records(30))
    dying = Drainer(tmp_path / "spool", journal_database, SystemClock())
    with monkeypatch.context() as sudden:
        sudden.setattr(drain, "keep_progress", lambda *_: None)
        dying.drain()
    assert backlog(tmp_path / "spool").bytes
    Drainer(tmp_path / "spool", journal_database, SystemClock()).drain()
    assert backlog(tmp_path / "spool") == (0, 0)


def test_stopping_moves_the_rest(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """Told to stop, a drainer still moves what ending workers leave, and ends with the last."""
    some = records(60)

    def end() -> None:
        append(spool, some[30:])
        spool.close()

    append(spool, some[:30])
    with running(drainer):
        wait_for(lambda: len(kept(journal_database)) == 30)
        ending = threading.Timer(0.5, end)
        ending.start()
    ending.join()
    assert kept(journal_database) == names(some)
    assert segments(tmp_path / "spool") == []


def test_one_drains_at_a_time(tmp_path: Path, journal_database: Database, spool: Spool) -> None:
    """A second drainer waits, and takes over when the first one has ended."""
    first, second = (Drainer(tmp_path / "spool", journal_database, SystemClock()) for _ in range(2))
    with running(second):
        time.sleep(0.1)
        with running(first):
            append(spool, records(10))
            wait_for(lambda: len(kept(journal_database)) == 10)
            spool.close()
        append(spool, records(10))
        wait_for(lambda: len(kept(journal_database)) == 20)
        spool.close()


def test_who_is_told_to_stop_before_its_turn_does_nothing(
    tmp_path: Path, journal_database: Database, spool: Spool
) -> None:
    """A drainer that never had its turn leaves all to the one that has."""
    append(spool, some := records(10))
    with (tmp_path / "spool" / "drainer.lock").open("wb") as lock:
        assert claim(lock.fileno())
        with running(Drainer(tmp_path / "spool", journal_database, SystemClock())):
            pass
        assert kept(journal_database) == []
    with running(Drainer(tmp_path / "spool", journal_database, SystemClock())):
        spool.close()
    assert kept(journal_database) == names(some)


def test_a_lock_that_cannot_be_opened_only_delays(
    tmp_path: Path,
    journal_database: Database,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the lock's file is not to be opened, that is told once, and tried until it is."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(drain, "PATIENCE_SECONDS", 0.05)
    append(spool, some := records(10))
    lock = tmp_path / "spool" / "drainer.lock"
    lock.mkdir()
    with running(Drainer(tmp_path / "spool", journal_database, SystemClock())):
        time.sleep(0.5)
        (told,) = [each for each in caplog.messages if "waits in its spool" in each]
        assert "drainer.lock" in told
        lock.rmdir()
        wait_for(lambda: caplog.messages.count("the journal is being drained again") == 1)
        wait_for(lambda: kept(journal_database) == names(some))
        spool.close()


def test_a_locked_database_only_delays(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """While somebody else holds the database's lock the spool grows; then all is moved, once."""
    some = records(200)
    with running(drainer):
        with journal_database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE journal_records, journal_offsets"))
            else:
                connection.execute(text("DELETE FROM journal_offsets WHERE spool = ''"))
            for each in some:
                append(spool, [each])
                time.sleep(0.01)
            assert backlog(tmp_path / "spool").files > 1
        wait_for(lambda: len(kept(journal_database)) == len(some))
        spool.close()
    assert kept(journal_database) == names(some)


@pytest.mark.parametrize("later", [1, 0])
def test_a_database_that_falls_back_is_told_again(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    later: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a standby or a backup lacks is moved once more from a segment that is still there."""
    some = records(6 + later)
    with closing(Spool(tmp_path / "spool", RandomIds())) as spool:
        append(spool, some[:3])
        drainer.drain()
        earlier = all_rows(journal_database)
        append(spool, some[3:6])
        drainer.drain()
        fall_back(journal_database, earlier)
        append(spool, some[6:])
    drainer._failures = 1  # it was away meanwhile, and that was told
    assert drainer._try() > 0
    assert ["lost its last answers" in each.getMessage() for each in caplog.records] == [True]
    drainer._try()
    assert kept(journal_database) == names(some)
    assert [each.answers for each in Journal(journal_database, SystemClock()).stats()] == [
        len(some)
    ]
    drainer._try()
    assert (segments(tmp_path / "spool"), offsets(journal_database)) == ([], 0)


def test_a_missing_database_only_delays(
    tmp_path: Path, database_url: str, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """While there is no journal to write to the spool grows, with one word in the log."""
    some = records(30)
    with closing(open_database(database_url)) as database:
        drainer = Drainer(tmp_path / "spool", database, SystemClock())
        with caplog.at_level(logging.INFO), running(drainer):
            append(spool, some)
            time.sleep(1)
            migrate(database, JOURNAL)
            wait_for(lambda: len(kept(database)) == len(some))
            spool.close()
        assert kept(database) == names(some)
    words = [each.getMessage() for each in caplog.records if each.name == "stopgap.journal.drain"]
    assert len(words) == 2
    assert "waits" in words[0]
    assert "again" in words[1]
    assert damaged(tmp_path / "spool") == []


def test_a_restore_only_delays(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    spool: Spool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While a dump is restored, and a table is not there yet, nothing is taken for refused."""
    rename = "ALTER TABLE {} RENAME TO {}"
    append(spool, some := records(10))
    for table in ("journal_records", "journal_offsets"):
        with journal_database.write() as connection:
            connection.execute(text(rename.format(table, "away")))
        assert drainer._try() > 0
        with journal_database.write() as connection:
            connection.execute(text(rename.format("away", table)))
    assert [table in caplog.text for table in ("journal_records", "journal_offsets")] == [
        True,
        False,
    ]
    drainer._try()
    assert kept(journal_database) == names(some)
    assert damaged(tmp_path / "spool") == []


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize(
    ("setting", "held_up"),
    [
        ("transaction_timeout", "SELECT pg_sleep(10)"),
        ("idle_in_transaction_session_timeout", "SELECT 1"),
    ],
)
def test_a_transaction_that_takes_too_long_only_delays(
    tmp_path: Path,
    drainer: Drainer,
    journal_database: Database,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    held_up: str,
) -> None:
    """What PostgreSQL ends by its own settings is no record's fault, so none is set aside."""

    def insert(connection: Connection, _: object) -> None:
        connection.execute(text(f"SET LOCAL {setting} = 50"))
        time.sleep(0.3)
        connection.execute(text(held_up))

    append(spool, some := records(3))
    with monkeypatch.context() as patch:
        patch.setattr("stopgap.journal.store.insert", insert)
        with pytest.raises(DatabaseUnreachable):
            drainer.drain()
    drainer.drain()
    assert (kept(journal_database), damaged(tmp_path / "spool")) == (names(some), [])


def test_what_lasts_is_told_again(
    tmp_path: Path,
    database_url: str,
    spool: Spool,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A database that takes nothing for long is told at first, and then once in ten minutes."""
    append(spool, records(1))
    with closing(open_database(database_url)) as database:
        drainer = Drainer(tmp_path / "spool", database, clock)
        told = []
        for _ in range(5):
            drainer._try()
            told.append(len(caplog.messages))
            clock.forward(minutes=4)
    assert told == [1, 1, 1, 2, 2]
    assert "waits in its spool" in caplog.messages[-1]


def start_draining(folder: Path, url: str) -> BaseProcess:
    """Start a drainer as the server does, in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(
        target=drain_process,
        args=(folder, url),
        kwargs={"parent": os.getpid(), "durable": False, "log_level": "warning"},
    )
    process.start()
    return process


def test_it_may_be_told_to_end_again_and_again(tmp_path: Path, migrated_url: str) -> None:
    """However often a drainer is told to end, and how soon after another, it does."""
    folder = tmp_path / "spool"
    draining = start_draining(folder, migrated_url)
    wait_for((folder / "drainer.lock").exists)
    for _ in range(2_000):
        with suppress(ProcessLookupError):
            os.kill(draining.pid or 0, signal.SIGTERM)
    draining.join(5)
    stuck = draining.is_alive()
    draining.kill()
    draining.join()
    assert not stuck


def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    tmp_path: Path, journal_database: Database, database_url: str
) -> None:
    """Workers and drainers killed again and again: what was acknowledged is there, each once."""
    folder = tmp_path / "spool"
    command = [sys.executable, spooling.__file__, str(folder), "off", "0.001"]
    with (tmp_path / "acknowledged").open("ab") as acknowledged:
        worker = subprocess.Popen(command, stdout=acknowledged, env=ENVIRONMENT)
    for _ in range(4):
        draining = start_draining(folder, database_url)
        wait_for(partial(has_grown, journal_database, len(kept(journal_database))))
        time.sleep(random.uniform(0, 0.3))
        draining.kill()
        draining.join()
    worker.kill()
    worker.wait()
    with running(Drainer(folder, journal_database, SystemClock())):
        wait_for(lambda: segments(folder) == [], 60)
    found = kept(journal_database)
    promised = set((tmp_path / "acknowledged").read_text().split("\n")[:-1])
    assert promised <= set(found)
    assert len(found) == len(set(found)) <= len(promised) + 1
    assert damaged(folder) == []


PARENT = """
import multiprocessing, os, sys, time
from pathlib import Path
from stopgap.journal.drain_process import drain_process
if __name__ == "__main__":
    options = {"parent": os.getpid(), "durable": True, "log_level": "warning"}
    process = multiprocessing.get_context("fork").Process(
        target=drain_process, args=(Path(sys.argv[1]), sys.argv[2]), kwargs=options
    )
    process.start()
    print(flush=True)
    time.sleep(60)
"""


def test_a_drainer_ends_with_its_server(
    tmp_path: Path, journal_database: Database, database_url: str, spool: Spool
) -> None:
    """When the server is killed its drainer moves the rest, and ends by itself."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "spool"), database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as server:
        assert server.stdout
        server.stdout.readline()
        append(spool, records(10))
        wait_for(lambda: len(kept(journal_database)) == 10)
        append(spool, records(10))
        spool.close()
        server.kill()
    wait_for(partial(is_free, tmp_path / "spool" / "drainer.lock"))
    assert len(kept(journal_database)) == 20


def test_a_drainer_ends_when_told(
    tmp_path: Path, journal_database: Database, database_url: str
) -> None:
    """Ctrl-C is left to the server; SIGTERM lets a drainer end, and end well."""
    draining = start_draining(tmp_path / "spool", database_url)
    wait_for((tmp_path / "spool" / "drainer.lock").exists)
    assert draining.pid
    os.kill(draining.pid, signal.SIGINT)
    time.sleep(0.3)
    assert draining.is_alive()
    draining.terminate()
    draining.join(10)
    assert draining.exitcode == 0
    assert kept(journal_database) == []


def test_a_database_that_cannot_be_opened_only_delays(
    tmp_path: Path, spool: Spool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the journal's file is not to be opened, that is told once, and tried until it is."""
    append(spool, some := records(10))
    place, ready = tmp_path / "place", tmp_path / "ready"
    draining = start_draining(tmp_path / "spool", f"sqlite:///{place / 'journal.db'}")
    said: list[str] = []

    def waits() -> bool:
        said.append(capfd.readouterr().out)
        return "waits" in said[-1]

    wait_for(waits)
    ready.mkdir()
    with closing(open_database(f"sqlite:///{ready / 'journal.db'}")) as database:
        migrate(database, JOURNAL)
    ready.rename(place)
    with closing(open_database(f"sqlite:///{place / 'journal.db'}")) as database:
        wait_for(lambda: kept(database) == names(some))
    spool.close()
    draining.terminate()
    draining.join(10)
    assert draining.exitcode == 0
    (told,) = map(json.loads, "".join([*said, capfd.readouterr().out]).splitlines())
    assert told["event"].startswith("the journal waits in its spool: The SQLite database ")
    assert "exception" not in told


def test_a_drainer_that_has_no_database_ends_when_told(
    tmp_path: Path, spool: Spool, capfd: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM ends a drainer, and well, that still tries to open its database."""
    append(spool, records(10))
    draining = start_draining(tmp_path / "spool", f"sqlite:///{tmp_path / 'none' / 'journal.db'}")
    wait_for(lambda: "waits" in capfd.readouterr().out)
    draining.terminate()
    draining.join(10)
    assert draining.exitcode == 0


def test_catching_up_without_a_drainer(
    tmp_path: Path, journal_database: Database, spool: Spool
) -> None:
    """Where nobody drains, whoever has to look back moves what waits, of the living too."""
    folder = tmp_path / "spool"
    assert catch_up(tmp_path / "none", journal_database, SystemClock(), 1) == 0
    append(spool, some := records(30))
    assert catch_up(folder, journal_database, SystemClock(), 20) == 0
    assert kept(journal_database) == names(some)
    assert is_free(folder / "drainer.lock")


def test_catching_up_with_another_database(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """What was moved into another database is not taken for moved into this one."""
    folder = tmp_path / "spool"
    empty = all_rows(journal_database)
    append(spool, some := records(5))
    drainer.drain()
    fall_back(journal_database, empty)
    assert backlog(folder).bytes == 0
    looked_up = Journal(journal_database, SystemClock(), spool=folder)
    assert looked_up.waiting() == sum(path.stat().st_size for path in segments(folder))
    assert looked_up.catch_up(20) == looked_up.waiting() == 0
    assert kept(journal_database) == names(some)


def test_catching_up_where_nothing_can_be_locked(
    tmp_path: Path, journal_database: Database, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the lock's file is not to be opened, that is told, and what waits."""
    folder = tmp_path / "spool"
    append(spool, records(3))
    (folder / "drainer.lock").mkdir()
    assert catch_up(folder, journal_database, SystemClock(), 20) == backlog(folder).bytes > 0
    (told,) = caplog.messages
    assert told.startswith("the spool cannot be drained: ")


def test_catching_up_with_a_drainer(
    tmp_path: Path, drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """Where somebody drains, that is awaited; a record that comes meanwhile is not."""
    append(spool, some := records(30))
    with running(drainer):
        wait_for(lambda: len(kept(journal_database)) > 0)
        append(spool, more := records(30))
        assert catch_up(tmp_path / "spool", journal_database, SystemClock(), 20) == 0
        assert set(names(some + more)) <= set(kept(journal_database))
        spool.close()


def test_catching_up_ends(tmp_path: Path, journal_database: Database, spool: Spool) -> None:
    """A drainer that gets nowhere is not awaited for ever; what is missing is told."""
    folder = tmp_path / "spool"
    append(spool, records(30))
    with (folder / "drainer.lock").open("wb") as lock:
        assert claim(lock.fileno())
        assert catch_up(folder, journal_database, SystemClock(), 0.2) == backlog(folder).bytes > 0


def test_the_forgotten_are_not_in_what_still_waited(
    drainer: Drainer, journal_database: Database, spool: Spool
) -> None:
    """Whoever is forgotten while answers wait in a spool stands in none of them afterwards."""
    looked_up = Journal(journal_database, SystemClock())
    append(spool, [record(caller="ann")])
    drainer.drain()
    append(spool, [record(caller="ann"), record(caller="bob"), record()])
    assert looked_up.anonymise("ann") == 1
    append(spool, [record(caller="ann")])
    drainer.drain()
    callers = [entry.record.caller for entry in looked_up.page()]
    assert (len(callers), set(callers)) == (5, {None, "bob"})
    assert looked_up.page(Filters(caller="ann")) == []
