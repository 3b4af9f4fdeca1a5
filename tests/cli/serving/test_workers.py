"""What no whole server shows reliably of how its workers come and go."""

import subprocess
import sys

BIRTHS = 300

BEARING = f"""
import os, signal, sys
from stopgap.cli.serving.workers import Birth

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
