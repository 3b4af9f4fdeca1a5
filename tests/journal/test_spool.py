"""The spool: what `append` has returned from is read, whoever is killed and whatever is full."""

import errno
import fcntl
import os
import random
import resource
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

import pytest
from tests.fakes import FakeClock
from tests.journal import spooling
from tests.journal.records import encode, is_free, no_damage, record, records

from stopgap.clock import RandomIds
from stopgap.journal.record import Record
from stopgap.journal.segment import BODY_MAX, read, segments
from stopgap.journal.spool import Fsync, Spool, SpoolUnwritable

SOURCES = Path(__file__).parents[2] / "src"


def spooled(folder: Path) -> list[Record]:
    """Read all that lies in a spool, in the order of time."""
    found = [each for path in segments(folder) for _, each in read(path, damaged=no_damage)]
    return sorted(found, key=lambda each: each.at)


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def wait_until_free(path: Path) -> None:
    """Wait until nobody holds a segment's lock."""
    deadline = time.monotonic() + 5
    while not is_free(path):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def open_files() -> int:
    """Count this process's open files."""
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("fsync", get_args(Fsync))
def test_records_are_kept(tmp_path: Path, fsync: Fsync) -> None:
    """By each policy, all that was appended is read, from several segments."""
    some = records(100)
    files = open_files()
    with closing(Spool(tmp_path / "spool", RandomIds(), fsync=fsync, segment_bytes=5000)) as spool:
        for each in some:
            spool.append(encode(each))
        assert spooled(tmp_path / "spool") == some
        assert len(segments(tmp_path / "spool")) > 4
    assert open_files() == files


def test_nothing_is_made_before_the_first_record(tmp_path: Path) -> None:
    """A worker that answers nothing leaves nothing behind."""
    Spool(tmp_path / "spool", RandomIds()).close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_segment_is_let_go(tmp_path: Path) -> None:
    """A full segment can be claimed while its worker lives; the one that is written to cannot."""
    with closing(Spool(tmp_path, RandomIds(), segment_bytes=1000)) as spool:
        for each in records(10):
            spool.append(encode(each))
        free = list(map(is_free, segments(tmp_path)))
    assert free.count(False) == 1 < len(free)


def test_flushed_segments_are_let_go(tmp_path: Path) -> None:
    """With `interval`, a full segment is let go within seconds, once it is on the disk."""
    with closing(Spool(tmp_path, RandomIds(), fsync="interval", segment_bytes=1)) as spool:
        spool.append(encode(record()))
        spool.append(encode(record()))
        wait_until_free(segments(tmp_path)[0])


@pytest.mark.parametrize("fsync", get_args(Fsync))
def test_a_day_old_segment_is_let_go(tmp_path: Path, clock: FakeClock, fsync: Fsync) -> None:
    """A worker that has little to record, or no more, holds no record for longer than a day."""
    first, second, third = records(3)
    with closing(Spool(tmp_path, RandomIds(), fsync=fsync, monotonic=clock.monotonic)) as spool:
        spool.renew()
        spool.append(encode(first))
        clock.forward(hours=23)
        spool.renew()
        spool.append(encode(second))
        (segment,) = segments(tmp_path)
        assert not is_free(segment)
        clock.forward(hours=1)
        for _ in range(2):
            spool.renew()
        wait_until_free(segment)
        assert segments(tmp_path) == [segment]
        spool.append(encode(third))
        spool.renew()
        assert [is_free(each) for each in segments(tmp_path)] == [True, False]
    assert spooled(tmp_path) == [first, second, third]


def test_a_segment_that_cannot_be_flushed_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `interval`, what comes after a failed flush is written to another segment."""
    flush = os.fsync

    def fail(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(descriptor)

    first, second = records(2)
    with closing(Spool(tmp_path, RandomIds(), fsync="interval")) as spool:
        with monkeypatch.context() as failing:
            failing.setattr(os, "fsync", fail)  # the operating system's part, not ours
            spool.append(encode(first))
            wait_until_free(segments(tmp_path)[0])
        spool.append(encode(second))
        assert len(segments(tmp_path)) == 2
    assert spooled(tmp_path) == [first, second]


def test_a_segment_that_cannot_be_closed_ends_no_flushing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that tells of a failed write at the end of a file only is flushed all the same."""
    close, flush, failed, flushed = os.close, os.fsync, threading.Event(), threading.Event()

    def fail(descriptor: int) -> None:
        close(descriptor)
        if threading.current_thread() is not threading.main_thread():
            failed.set()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def note(descriptor: int) -> None:
        flush(descriptor)
        flushed.set()

    with closing(Spool(tmp_path, RandomIds(), fsync="interval")) as spool:
        with monkeypatch.context() as failing:
            failing.setattr(os, "close", fail)  # the operating system's part, not ours
            spool.append(encode(records(1)[0]))
            assert failed.wait(10)
        monkeypatch.setattr(os, "fsync", note)
        spool.append(encode(records(2)[1]))
        assert flushed.wait(10)


def test_no_room_for_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be started that flushes, records are kept as with `off`; later it is tried."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    kept = records(2)
    with closing(Spool(tmp_path, RandomIds(), fsync="interval", segment_bytes=1)) as spool:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            spool.append(encode(kept[0]))
        before = threading.active_count()
        spool.append(encode(kept[1]))
        assert threading.active_count() == before + 1
    assert [each for path in segments(tmp_path) for _, each in read(path)] == kept


def test_a_late_record_is_kept(tmp_path: Path) -> None:
    """An answer that leaves after the spool was closed is on record like any other."""
    spool = Spool(tmp_path, RandomIds())
    spool.append(encode(record()))
    spool.close()
    spool.append(encode(record()))
    spool.close()
    assert len(spooled(tmp_path)) == 2


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Records of several threads are all kept, each whole."""
    with closing(Spool(tmp_path, RandomIds(), segment_bytes=20_000)) as spool:

        def append() -> None:
            for each in records(200):
                spool.append(encode(each))

        threads = [threading.Thread(target=append) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({each.id for each in spooled(tmp_path)}) == 800


@pytest.mark.parametrize("fsync", get_args(Fsync))
def test_a_full_disk_refuses_and_recovers(tmp_path: Path, fsync: Fsync) -> None:
    """A record without room is refused and leaves no trace; with room again, all is as before."""
    first, second, third = records(3)
    with closing(Spool(tmp_path, RandomIds(), fsync=fsync)) as spool:
        spool.append(encode(first))
        files = open_files()
        with no_room_beyond(segments(tmp_path)[0].stat().st_size + 50):  # so a part of it fits
            for _ in range(20):
                with pytest.raises(SpoolUnwritable):
                    spool.append(encode(record(inputs=b'{"a":"%b"}' % (b"x" * 500))))
            assert len(segments(tmp_path)) == 1
            assert open_files() <= files
            spool.append(encode(second))
        spool.append(encode(third))
    assert spooled(tmp_path) == [first, second, third]
    assert sum(path.stat().st_size for path in segments(tmp_path)) == sum(
        8 + len(encode(each)) for each in (first, second, third)
    )


def test_a_volume_without_locks_refuses_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no file can be locked nothing is kept, nothing is left, and health tells of it."""

    def flock(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with closing(Spool(tmp_path, RandomIds())) as spool:
        with monkeypatch.context() as patch:
            patch.setattr(fcntl, "flock", flock)
            for _ in range(3):
                with pytest.raises(SpoolUnwritable):
                    spool.append(encode(record()))
                with pytest.raises(SpoolUnwritable):
                    spool.check()
            assert list(tmp_path.iterdir()) == []
        spool.check()
        spool.append(encode(record()))
    assert len(spooled(tmp_path)) == 1


def test_a_look_at_a_full_disk(tmp_path: Path) -> None:
    """It tells of the disk though nobody asks; where somebody does, the last record tells."""
    with closing(Spool(tmp_path, RandomIds())) as spool:
        with no_room_beyond(100), pytest.raises(SpoolUnwritable):
            spool.check()  # before the first record
        spool.check()
        spool.append(encode(record()))
        with no_room_beyond(100):
            spool.check()
            with pytest.raises(SpoolUnwritable):
                spool.check()
            with pytest.raises(SpoolUnwritable):
                spool.append(encode(record()))
            with pytest.raises(SpoolUnwritable):
                spool.check()
        spool.append(encode(record()))
        spool.check()
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_is_none_refuses_and_recovers(tmp_path: Path) -> None:
    """Where no segment can be begun, records are refused until one can."""
    folder = tmp_path / "spool"
    folder.touch()
    with closing(Spool(folder, RandomIds())) as spool:
        with pytest.raises(SpoolUnwritable) as refusal:
            spool.append(encode(record()))
        assert refusal.value.retry_after
        folder.unlink()
        spool.append(encode(record()))
    assert len(spooled(folder)) == 1


def test_a_record_has_a_largest_size(tmp_path: Path) -> None:
    """A record that could not be read again is not written."""
    with closing(Spool(tmp_path, RandomIds())) as spool, pytest.raises(SpoolUnwritable):
        spool.append(bytes(BODY_MAX + 1))


@contextmanager
def worker(folder: Path, acknowledged: Path, fsync: Fsync) -> Iterator[None]:
    """Have a worker spool as fast as it can; it has begun when this begins, and is then killed."""
    command = [sys.executable, spooling.__file__, str(folder), fsync, "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with acknowledged.open("ab") as file:
        before = file.tell()
        process = subprocess.Popen(command, stdout=file, env=environment)
    try:
        while acknowledged.stat().st_size == before:
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.wait()


def test_a_reader_beside_the_worker_sees_no_damage(tmp_path: Path) -> None:
    """Who reads what is being written at that moment sees whole records, and no damage."""
    offsets: Counter[Path] = Counter()
    with worker(tmp_path, tmp_path / "acknowledged", "off"):
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            for path in segments(tmp_path):
                for end, _ in read(path, offsets[path], damaged=no_damage):
                    offsets[path] = end
    assert sum(offsets.values()) > 100_000


@pytest.mark.parametrize("fsync", ["off", "interval"])
def test_a_killed_worker_loses_nothing(tmp_path: Path, fsync: Fsync) -> None:
    """Whatever a worker has acknowledged is read after it was killed, each record once."""
    for _ in range(4):
        with worker(tmp_path, tmp_path / "acknowledged", fsync):
            time.sleep(random.uniform(0, 0.3))
    names = [each.id for each in spooled(tmp_path)]
    promised = set((tmp_path / "acknowledged").read_text().split("\n")[:-1])
    assert len(promised) > 1000
    assert promised <= set(names)
    assert len(names) == len(set(names))
    assert len(names) <= len(promised) + 4  # each may have been killed just before the word


@pytest.mark.parametrize(("fsync", "flushes"), [("always", 3), ("off", 0)])
def test_each_record_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: Fsync, flushes: int
) -> None:
    """With `always`, a record is on the disk when its answer leaves; so is its segment's name."""
    flushed: list[str] = []
    flush = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)  # the operating system's part, not ours
    with closing(Spool(tmp_path, RandomIds(), fsync=fsync)) as spool:
        for number in range(1, 4):
            spool.append(b"{}")
            assert sum(name.endswith(".spool") for name in flushed) == min(number, flushes)
    assert flushed.count(str(tmp_path)) == (fsync != "off")


def test_full_segments_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `interval`, what a segment got last is flushed though it was full by then."""
    flushed: set[str] = set()
    flush = os.fsync

    def note(descriptor: int) -> None:
        flushed.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)  # the operating system's part, not ours
    with closing(Spool(tmp_path, RandomIds(), fsync="interval", segment_bytes=1)) as spool:
        for _ in range(3):
            spool.append(b"{}")
    assert {str(path) for path in tmp_path.glob("*.spool")} <= flushed
