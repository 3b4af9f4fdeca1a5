"""Disks that are full when a test says so, and have room again when it says so."""

import os
import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from tests.acceptance.processes import workers
from tests.acceptance.server import Server

DISK_BYTES = 4 * 1024 * 1024
CHUNK = b"." * 4096

Full = Callable[[Server], AbstractContextManager[object]]


@contextmanager
def no_room_for_files(server: Server) -> Iterator[None]:
    """Allow the workers no byte in any file (RLIMIT_FSIZE), which needs nobody's permission."""
    serving = workers(server.process.pid)
    for worker in serving:
        _, most = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        for worker in serving:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def no_room_on_disk(server: Server) -> Iterator[None]:
    """Fill the disk that the server keeps everything on, and whatever it gives back."""
    over = threading.Event()
    filler = server.data / "filler"

    def fill() -> None:
        with filler.open("ab", buffering=0) as file:
            while not over.wait(0.001):
                with suppress(OSError):
                    while file.write(CHUNK):
                        pass

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small disk in a folder; tell whether this user may do so."""
    folder.mkdir(parents=True)
    options = f"size={DISK_BYTES},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
