"""What can be told of, and done to, the sockets of this process."""

import errno
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from stopgap.front.sockets import UNSENT_BYTES, bound_unsent, has_clients, has_unread, turn_deaf


def test_clients_are_seen() -> None:
    """Somebody is connected from the connection to its end; what we ourselves open is no client."""
    assert not has_clients()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        assert not has_clients()
        command = f"""
import socket, sys
with socket.create_connection(("127.0.0.1", {listener.getsockname()[1]})):
    sys.stdin.read()
"""
        client = subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE)
        taken, _ = listener.accept()
        with taken:
            assert has_clients()
        assert not has_clients()
        client.communicate()


def test_nothing_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc there is nobody to be seen, and nothing to be done about it."""

    def iterdir(path: Path) -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        with closing(socket.create_connection(listener.getsockname())):
            monkeypatch.setattr(Path, "iterdir", iterdir)
            turn_deaf()
            assert not has_clients()
            assert not has_unread()
            assert not bound_unsent()
        monkeypatch.undo()


def test_sockets_come_and_go_while_they_are_looked_at() -> None:
    """The server's threads close connections at any moment; who looks is not troubled by it."""
    looking = Event()

    def come_and_go(place: tuple[str, int]) -> None:
        while not looking.is_set():
            socket.create_connection(place).close()

    def take(listener: socket.socket) -> None:
        while not looking.is_set():
            listener.accept()[0].close()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener, ThreadPoolExecutor() as pool:
        pool.submit(take, listener)
        coming = [pool.submit(come_and_go, listener.getsockname()) for _ in range(2)]
        try:
            for _ in range(500):
                has_clients()
        finally:
            looking.set()
            wait(coming)
            socket.create_connection(listener.getsockname()).close()


def test_little_is_taken_ahead() -> None:
    """Of an answer that nobody reads, the system takes little, however long it is."""
    assert not bound_unsent()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        assert bound_unsent()
        with closing(socket.socket()) as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(listener.getsockname())
            taken, _ = listener.accept()
            with taken:
                taken.settimeout(0)
                sent = 0
                with suppress(BlockingIOError):
                    while sent < 1_000_000:
                        sent += taken.send(bytes(16_384))
        assert UNSENT_BYTES <= sent < 2 * UNSENT_BYTES


def test_who_has_not_been_read_is_seen() -> None:
    """Who waits to be taken is seen, and whose bytes wait to be read; who is silent is not."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        assert not has_unread()
        with closing(socket.create_connection(listener.getsockname())) as client:
            assert has_unread()
            taken, _ = listener.accept()
            with taken:
                assert not has_unread()
                client.sendall(b"a question")
                assert has_unread()
                assert taken.recv(100) == b"a question"
                assert not has_unread()
                taken.sendall(b"an answer")  # which is ours to read, and nobody's question
                assert not has_unread()


def test_the_deaf_take_who_waits() -> None:
    """Who has connected before is served to the end; who comes later gets no answer at all."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        place = listener.getsockname()
        with closing(socket.create_connection(place)) as early, closing(socket.socket()) as late:
            early.sendall(b"a question")
            turn_deaf()
            late.settimeout(0.2)
            with pytest.raises(TimeoutError):
                late.connect(place)
            taken, _ = listener.accept()
            with taken:
                early.sendall(b", and more")
                assert taken.recv(20, socket.MSG_WAITALL) == b"a question, and more"
                taken.sendall(b"an answer")
            assert early.recv(100) == b"an answer"
