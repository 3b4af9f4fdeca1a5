"""Stopping: within two seconds, whatever is under way."""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.acceptance.client import head, read_answer
from tests.acceptance.server import STOP_SECONDS, running
from tests.pictures import png

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("count", ["1", "2"])
def test_it_stops(tmp_path: Path, number: signal.Signals, count: str, *, alone: bool) -> None:
    """Ctrl-C and SIGTERM end the server within two seconds, though somebody stays connected."""
    with running(tmp_path, {"STOPGAP_WORKERS": count}, stopped=False) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as idle:
            idle.sendall(head("GET", "/status", {"Host": "localhost"}))
            assert read_answer(idle).body == b"Alive!"
            assert server.stop(number, alone=alone) < STOP_SECONDS
        assert nobody_listens(server.port)


def test_impatience(tmp_path: Path) -> None:
    """Who presses Ctrl-C again and again ends nothing that is under way."""
    picture = png(size=(3000, 3000))
    with running(tmp_path, stopped=False) as server, ThreadPoolExecutor() as pool:
        uploads = [pool.submit(server.client().upload, picture) for _ in range(2)]
        time.sleep(0.1)
        for _ in range(4):
            os.killpg(server.process.pid, signal.SIGINT)
            time.sleep(0.02)
        assert server.stop(signal.SIGINT) < STOP_SECONDS
        assert [upload.result().status for upload in uploads] == [201, 201]


def nobody_listens(port: int) -> bool:
    """Tell whether a port is free again."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False
