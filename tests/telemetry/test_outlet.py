"""The outlet: nobody who has something to say waits for who reads it."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journal.test_spool import no_room_beyond

from stopgap.telemetry import outlet
from stopgap.telemetry.outlet import ROOM, Descriptor, Outlet

SECONDS = 5.0


class Reader:
    """Somebody who reads, or does not: what is written waits until it is read."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.reads = threading.Event()

    def write(self, lines: bytes) -> None:
        """Take lines once they are read."""
        self.reads.wait()
        self.lines.append(lines)


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Give somebody who does not read yet, and reads at the end in any case."""
    reader = Reader()
    yield reader
    reader.reads.set()


def test_lines_are_written_in_their_order(reader: Reader) -> None:
    """What was put first is written first."""
    reader.reads.set()
    outlet = Outlet(reader.write)
    for number in range(1_000):
        outlet.put(b"%d\n" % number)
    outlet.settle(SECONDS)
    assert reader.lines == [b"%d\n" % number for number in range(1_000)]


def test_no_room_for_its_thread(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written for want of a thread is written with the next line."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    reader.reads.set()
    outlet = Outlet(reader.write)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        outlet.put(b"first\n")
    outlet.put(b"second\n")
    outlet.settle(SECONDS)
    assert reader.lines == [b"first\n", b"second\n"]


def test_nobody_waits(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody reads is kept up to a bound; the rest is counted, and told once it can be."""
    outlet = Outlet(reader.write)
    block = b"x" * (ROOM // 4 - 1) + b"\n"
    for _ in range(4):
        outlet.put(block)
    outlet.put(b"lost\nlost too\n")
    began = time.monotonic()
    outlet.settle(0.1)
    assert 0.1 <= time.monotonic() - began < SECONDS
    reader.reads.set()
    outlet.settle(SECONDS)
    assert reader.lines == [block] * 4
    while not caplog.records:
        time.sleep(0.01)
    assert caplog.records[0].getMessage() == "standard output did not take 2 lines"
    assert caplog.records[0].levelno == logging.WARNING


def told(caplog: pytest.LogCaptureFixture) -> str:
    """Wait until the outlet says something."""
    deadline = time.monotonic() + SECONDS
    while not caplog.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    return caplog.text


def test_a_reader_that_has_gone(caplog: pytest.LogCaptureFixture) -> None:
    """A line that cannot be written holds up no other, and is counted."""
    taken = []

    def write(lines: bytes) -> None:
        if lines == b"1\n":
            raise BrokenPipeError
        taken.append(lines)

    outlet = Outlet(write)
    outlet.put(b"1\n")
    outlet.put(b"2\n")
    outlet.settle(SECONDS)
    assert taken == [b"2\n"]
    assert "did not take 1 lines" in told(caplog)


def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it refuses is counted, and told once it takes lines; none is glued to half of one."""
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as file:
        outlet = Outlet(Descriptor(file.fileno()).write)
        with no_room_beyond(9):
            for lines in (b"first\n", b"second\nthird\n", b"fourth\n"):
                outlet.put(lines)
                outlet.settle(SECONDS)
        assert not caplog.messages
        outlet.put(b"fifth\n")
        assert "did not take 3 lines" in told(caplog)
    assert path.read_bytes() == b"first\nsec\nfifth\n"


@pytest.fixture
def pipe() -> Iterator[tuple[Callable[[], bytes], Outlet]]:
    """Give what reads a pipe of which neither end waits, and the outlet at its other end."""
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    yield lambda: os.read(reading, 1_000_000), Outlet(Descriptor(writing).write)
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_a_pipe_that_does_not_wait(pipe: tuple[Callable[[], bytes], Outlet]) -> None:
    """Lines for which it has no room at once are written when its reader has made some."""
    read, outlet = pipe
    lines = [b"%d %s\n" % (number, b"x" * 99) for number in range(2_000)]
    for line in lines:
        outlet.put(line)
    outlet.settle(0.1)
    found = b""
    deadline = time.monotonic() + SECONDS
    while len(found) < sum(map(len, lines)) and time.monotonic() < deadline:
        found += read()
        outlet.settle(0.01)
    assert found.splitlines(keepends=True) == lines


def test_a_pipe_that_nobody_reads(
    pipe: tuple[Callable[[], bytes], Outlet],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is waited for, but not for ever; what it did not take is counted."""
    monkeypatch.setattr(outlet, "PATIENCE", 0.1)
    read, some = pipe
    block = b"x" * 49_999 + b"\n"
    for _ in range(2):
        some.put(block)
    some.settle(SECONDS)
    found = read()
    some.put(b"last\n")
    some.settle(SECONDS)
    *whole, cut, last = (found + read()).splitlines(keepends=True)
    assert (whole, last) == ([block], b"last\n")
    assert block.startswith(cut.rstrip())
    assert "did not take 1 lines" in told(caplog)


def test_a_fork_writes_its_own(reader: Reader) -> None:
    """A fork does not write again what its parent has yet to write, and writes what it says."""
    reading, writing = os.pipe()
    outlet = Outlet(reader.write)
    outlet.put(b"the parent's\n")
    if not (child := os.fork()):
        reader.reads.set()
        outlet.put(b"the child's\n")
        outlet.settle(SECONDS)
        os.write(writing, b"".join(reader.lines))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"the child's\n"
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much has been written, what is written has its room no longer."""
    monkeypatch.setattr(outlet, "ROOM", 100)
    written: list[bytes] = []
    some = Outlet(written.append)
    for _ in range(10):
        some.put(b"x" * 60 + b"\n")
        some.settle(1)
    assert len(written) == 10
