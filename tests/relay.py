"""A relay in front of a server, which a test can cut off and mend again."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit


class Relay:
    """Passes bytes on, both ways, until it is cut; then every connection ends, and none begins."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        assert target.hostname is not None
        assert target.port is not None
        self._target = target.hostname, target.port
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._port = 0
        self.mend()

    @property
    def endpoint(self) -> str:
        """Where to ask instead of the server."""
        return f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        """Listen, at the same place as before."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = int(listener.getsockname()[1])
        self._sockets = [listener]
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection, and let nobody begin another."""
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):  # it has ended already
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._sockets = []

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it has been cut
            while True:
                caller, _ = listener.accept()
                server = socket.create_connection(self._target)
                with self._lock:
                    self._sockets += [caller, server]
                for ends in ((caller, server), (server, caller)):
                    Thread(target=_pass_on, args=ends, daemon=True).start()


@contextmanager
def relayed(endpoint: str) -> Iterator[Relay]:
    """Run a relay in front of a server."""
    relay = Relay(endpoint)
    try:
        yield relay
    finally:
        relay.cut()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # it has been cut
        while received := source.recv(65_536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)
