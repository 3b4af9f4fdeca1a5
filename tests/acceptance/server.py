"""The real server, as a process of its own on a real port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.client import Client

ROOT = Path(__file__).resolve().parents[2]
ML_SERVER = (sys.executable, str(ROOT / "ML_server.py"))
STOPGAP = (sys.executable, "-c", "from stopgap.cli import main; main()")
START_SECONDS = 20
STOP_SECONDS = 2
"""How long a server may take to stop: "within a second or two"."""

SECRET = "0123456789abcdef" * 4
LISTENING = re.compile(r"http://[^:/\s]+:(\d+)/")


def environment(**settings: str) -> dict[str, str]:
    """Make an environment with nothing of this one's in it but what Python needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"} | settings


class Server:
    """One server: told its settings, started, and stopped again."""

    def __init__(self, folder: Path, command: Sequence[str], settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        self._output, self._errors = folder / "output", folder / "errors"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(PORT="0", STOPGAP_DATA=str(self.data)) | dict(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self.port = 0

    @property
    def said(self) -> str:
        """Everything that it has written to standard output and standard error."""
        return self._output.read_text() + self._errors.read_text()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, **headers: str) -> Client:
        """Make a client that nobody has signed in yet."""
        return Client(port=self.port, headers=headers)

    def wait_until_up(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_up():
            assert self.process.poll() is None, f"the server did not start:\n{self.said}"
            assert time.monotonic() < deadline, f"the server does not answer:\n{self.said}"
            time.sleep(0.02)

    def _is_up(self) -> bool:
        found = LISTENING.search(self._errors.read_text())
        if found is None:
            return False
        self.port = int(found[1])
        try:
            return self.client().get("/status").status == 200
        except ConnectionError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM, *, alone: bool = False) -> float:
        """Send a signal; return the seconds that it took to end.

        Args:
            number: SIGTERM as platforms send it, SIGINT for Ctrl-C.
            alone: To the one process that was started, else to all of its group as terminals do.
        """
        began = time.monotonic()
        send = os.kill if alone else os.killpg
        send(self.process.pid, number)
        self.process.wait(STOP_SECONDS * 5)
        return time.monotonic() - began

    def has_said_no_error(self) -> None:
        """Hold that nothing went wrong inside, whatever was sent."""
        lines = self.said.splitlines()
        bad = [line for line in lines if '"level": "error"' in line or "Traceback" in line]
        assert not bad, "\n".join(bad)[:10_000]


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    command: Sequence[str] = ML_SERVER,
    stopped: bool = True,
    troubled: bool = False,
) -> Iterator[Server]:
    """Run a server; at the end it stops cleanly, and has said no error.

    Args:
        folder: Where it runs and keeps its things.
        settings: Its environment.
        command: How it is started.
        stopped: Whether to stop it at the end; else the test has done so.
        troubled: Whether the test makes trouble that has to be told as an error.
    """
    server = Server(folder, command, settings or {})
    try:
        server.wait_until_up()
        yield server
        assert not stopped or server.process.poll() is None, f"it has ended:\n{server.said}"
        if stopped:
            server.stop()
    finally:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()
    assert server.process.returncode == 0, server.said
    if not troubled:
        server.has_said_no_error()
