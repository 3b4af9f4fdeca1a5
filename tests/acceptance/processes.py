"""A server's processes, as Linux tells of them in /proc."""

import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.client import TIMEOUT, head, read_answer

PROBES = 12
"""Connections that find out who answers: one worker of two is missed once in two thousand times."""

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a process holds."""

    memory: int  # bytes, resident
    files: int
    threads: int


def workers(supervisor: int) -> list[int]:
    """List who serves: forks of the supervisor, which have its command line."""
    own = command(supervisor)
    return [child for child in children(supervisor) if command(child) == own]


def drainers(supervisor: int) -> list[int]:
    """List who moves records into the journal: one, but for a moment after its death."""
    return [child for child in children(supervisor) if b"spawn_main" in command(child)]


def children(process: int) -> list[int]:
    """List a process's children that run."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return sorted(each for each in found if is_running(each))


def is_running(process: int) -> bool:
    """Tell whether a process runs; one that has ended may stay listed until somebody looks."""
    with suppress(OSError):
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    return False


def command(process: int) -> bytes:
    """Tell a process's command line; nothing if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def size(process: int) -> Size:
    """Measure a process.

    Raises:
        OSError: it has ended.
    """
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    files = sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
    threads = sum(1 for _ in Path(f"/proc/{process}/task").iterdir())
    return Size(memory=pages * PAGE, files=files, threads=threads)


def kill(*processes: int) -> None:
    """End processes at once, as nothing can prevent; some may have ended before."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def answering(port: int, candidates: Collection[int]) -> set[int]:
    """Tell which of some processes answer requests on a port of this machine.

    Raises:
        OSError, http.client.HTTPException: one of them died over it.
    """
    with ExitStack() as connections:
        ours = set()
        for _ in range(PROBES):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
            connections.enter_context(connection)
            connection.sendall(head("GET", "/status", {"Host": "localhost"}))
            read_answer(connection)
            ours.add(connection.getsockname()[1])
        holders = {inode: process for process in candidates for inode in _sockets(process)}
        return {holders[inode] for inode in _inodes(port, ours) if inode in holders}


def _sockets(process: int) -> Iterator[int]:
    """List the sockets that a process has open, by the system's numbers."""
    with suppress(OSError):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:"):
                    yield int(target[8:-1])


def _inodes(port: int, peers: set[int]) -> Iterator[int]:
    """List the server's ends of connections from some ports to another."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *rest = line.split()
        if int(local[-4:], 16) == port and int(remote[-4:], 16) in peers:
            yield int(rest[6])


def wait_for(reached: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until something is so; tell the seconds that it took.

    Raises:
        AssertionError: it is not so in time.
    """
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < seconds, f"after {seconds:g} s, not so: {what}"
        time.sleep(0.02)
    return time.monotonic() - began
