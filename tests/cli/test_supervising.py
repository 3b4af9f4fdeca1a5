"""The supervisor's worries that no whole server shows reliably."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stopgap.cli import supervising
from stopgap.cli.supervising import DrainerKeeper
from stopgap.settings import Settings

BIRTHS = 300

BEARING = f"""
import os, signal, sys
from stopgap.cli.supervising import Birth

birth = Birth()
os.register_at_fork(before=birth.begins, after_in_parent=birth.ends, after_in_child=birth.is_over)
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
for _ in range({BIRTHS}):
    child = os.fork()
    if not child:
        signal.alarm(5)
        while True:
            signal.pause()
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
os.kill(os.getpid(), signal.SIGTERM)
assert heard == [1], heard
"""


def test_a_worker_that_is_told_to_stop_while_it_is_forked() -> None:
    """A signal of any moment ends the child; the supervisor goes on hearing its own."""
    told = subprocess.run(
        [sys.executable, "-c", BEARING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert set(told.stdout.split()) == {"-15"}


def test_a_drainer_that_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there was no room for another process, it is tried again."""
    started = threading.Event()

    class Born:
        exitcode = 0

        def __init__(self, *, hindered: bool) -> None:
            self._hindered = hindered

        def start(self) -> None:
            if self._hindered:
                raise BlockingIOError("no room")
            started.set()

        def join(self) -> None:
            keeper._stopping.wait()

        def is_alive(self) -> bool:
            return False

        def kill(self) -> None:
            pass

    births = iter([True, True, False, False])
    monkeypatch.setattr(DrainerKeeper, "_spawn", lambda _: Born(hindered=next(births)))
    monkeypatch.setattr(supervising, "PAUSE_SECONDS", 0.01)
    keeper = DrainerKeeper(Settings(data=Path("nowhere")))
    keeper.start()
    assert started.wait(10)
    keeper.stop()
    assert "cannot be started" in caplog.text
