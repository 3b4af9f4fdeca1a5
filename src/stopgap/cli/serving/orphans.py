"""Orphans: what a model has started, and a worker that died at once could not end."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""From Linux' prctl(2): whoever loses its parent below this process becomes its child."""

LOOK_SECONDS = 0.5

LAST_LOOKS = 10
LAST_LOOK_SECONDS = 0.05
"""At the server's end; a model that has just been killed takes a moment to be gone."""


class Orphans:
    """Ends and buries what dead models have left behind, which becomes the supervisor's child.

    Workers and the drainer are in the supervisor's own group, and each model leads another. What
    has begun a session of its own is only buried. Who is in the supervisor's own is left alone,
    also what a model started that runs in its worker.
    """

    def __init__(self) -> None:
        self._over = threading.Event()

    def start(self) -> None:
        """Look after them, from now on."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        threading.Thread(target=self._look_after, name="orphans", daemon=True).start()

    def stop(self) -> None:
        """Look a last time: every worker has ended."""
        self._over.set()
        for _ in range(LAST_LOOKS):
            if not look():
                break
            time.sleep(LAST_LOOK_SECONDS)

    def _look_after(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            look()


def look() -> bool:
    """End and bury those that are there; tell whether there were any, or may be soon."""
    found, ours, session = False, os.getpgrp(), os.getsid(0)
    for child in _children():
        state, group, its_session = _stat(child)
        if group == ours:
            continue
        # A child's number, and its group's, is no other's before it is buried, which is done here.
        if state == "Z":
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        elif its_session == session:
            found = True
            if _stat(group)[0] in "ZX":  # the model itself, which leads it
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
    return found


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, task.read_text(encoding="ascii").split())


def _stat(process: int) -> tuple[str, int, int]:
    """Tell a process's state, group and session; X: there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "X", os.getpgrp(), 0
    state, _, group, session, *_ = stat.rpartition(")")[2].split()
    return state, int(group), int(session)
