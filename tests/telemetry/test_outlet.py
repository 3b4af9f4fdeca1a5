"""The outlet: nobody who has something to say waits for who reads it."""

import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest

from stopgap.telemetry import outlet
from stopgap.telemetry.outlet import ROOM, Outlet

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
    assert caplog.records[0].getMessage() == "standard output was too slow for 2 lines"
    assert caplog.records[0].levelno == logging.WARNING


def test_a_reader_that_has_gone() -> None:
    """A line that cannot be written holds up no other."""
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
