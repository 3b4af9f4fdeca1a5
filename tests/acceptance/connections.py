"""Connections: threads that ask a server again and again, each over one connection at a time."""

import socket
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import BinaryIO, Self

ANSWER_SECONDS = 30
"""After which a request counts as broken, though its connection may stand."""

RETRY_SECONDS = 0.02


class Connections(ABC):
    """So many at once, from the beginning of a block to its end.

    Args:
        port: Of the server, on this machine.
        number: How many ask at once.
        renew: Requests after which a connection is replaced, so that a new worker gets its share.
    """

    def __init__(self, port: int, number: int, *, renew: int) -> None:
        self._port = port
        self._renew = renew
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(asker,)) for asker in range(number)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Await the answers that are under way, and ask for no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, asker: int) -> None:
        while not self._over.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS)
            except OSError:
                self._miss(asker)
                self._over.wait(RETRY_SECONDS)
                continue
            with connection, connection.makefile("rb") as answers:
                for _ in range(self._renew):
                    if not self._wait(asker) or not self._ask(asker, connection, answers):
                        break

    @abstractmethod
    def _miss(self, asker: int, /) -> None:
        """Note that there was nobody to connect to."""

    @abstractmethod
    def _wait(self, asker: int, /) -> bool:
        """Wait until it is time for the next request; tell whether there is to be one."""

    @abstractmethod
    def _ask(self, asker: int, connection: socket.socket, answers: BinaryIO, /) -> bool:
        """Ask once, and note what comes of it; tell whether the connection is good for more."""
