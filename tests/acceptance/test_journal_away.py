"""The database locked or away: no prediction fails for it, nothing is lost, nothing comes twice."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.load import Load
from tests.acceptance.outages import (
    frozen,
    gone_postgresql,
    locked_files,
    locked_postgresql,
    locked_sqlite,
)
from tests.acceptance.processes import wait_for
from tests.acceptance.reckoning import reckon
from tests.acceptance.server import running
from tests.databases import PostgresqlServer

from stopgap.health import PATIENCE_SECONDS as HEALTH_SECONDS
from stopgap.storage.postgresql import CONNECT_SECONDS

SECONDS = 3

STOP_SECONDS = 10
"""After which Docker kills what has not ended."""

KNOWN_SECONDS = 2 * CONNECT_SECONDS
"""For a connection that is there and has to answer, and for another in its place."""


def test_sqlite_is_locked(tmp_path: Path) -> None:
    """While another program holds the locks all are answered, and promptly."""
    assert locked_sqlite(tmp_path, SECONDS).faults == []


def test_postgresql_is_locked(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """While another program holds the tables it is the same."""
    assert locked_postgresql(tmp_path, postgresql, SECONDS).faults == []


def test_postgresql_is_gone(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """While there is no database all are answered but who would have to be looked up in it."""
    assert gone_postgresql(tmp_path, postgresql, SECONDS).faults == []


def test_postgresql_is_frozen(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """While the database says nothing, strangers are answered, and all others told in time."""
    settings = {"STOPGAP_WORKERS": "2", "DATABASE_URL": postgresql.url(postgresql.create())}
    with running(tmp_path, settings) as server:
        known = server.client()
        known.sign_in("orhan", "12345")
        time.sleep(1)  # until nobody remembers who that is
        with frozen(postgresql):
            for client, path, status, seconds in (
                (server.client(), "/health", 503, HEALTH_SECONDS),
                (known, "/predict/5/january/100", 503, KNOWN_SECONDS),
                (server.client(), "/predict/5/january/100", 200, 0),
                (server.client(), "/health", 503, HEALTH_SECONDS),
            ):
                began = time.monotonic()
                answer = client.get(path)
                assert answer.status == status
                assert "PostgreSQL" not in answer.text
                assert time.monotonic() - began < seconds + 1
        wait_for(lambda: server.client().get("/health").status == 200, 20, "it is well again")
        assert "request refused: The PostgreSQL database" in server.said


def test_a_stop_while_it_is_locked(tmp_path: Path) -> None:
    """A stop does not wait for ever; what could not be moved is moved after the next start.

    Who comes meanwhile is refused at once, so that a proxy asks another server.
    """
    journal = tmp_path / "data" / "journal.db"
    with (
        running(tmp_path, stopped=False) as server,
        Load(server.port, rate=200) as load,
        locked_files(journal),
    ):
        time.sleep(0.5)
        load.stop()
        with ThreadPoolExecutor() as pool:
            stopping = pool.submit(server.stop)
            wait_for(lambda: is_refused(server.port), 3, "whoever comes is refused")
            assert not stopping.done()
            assert stopping.result() < STOP_SECONDS
    with running(tmp_path):
        pass
    assert reckon(load.toll.acknowledged, f"sqlite:///{journal}").faults(broken=0) == []


def is_refused(port: int) -> bool:
    """Tell whether whoever comes to a port is told at once that nobody is there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False
