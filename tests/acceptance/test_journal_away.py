"""The database locked or away: no prediction fails for it, nothing is lost, nothing comes twice."""

import time
from pathlib import Path

from tests.acceptance.load import Load
from tests.acceptance.outages import (
    gone_postgresql,
    locked_files,
    locked_postgresql,
    locked_sqlite,
)
from tests.acceptance.reckoning import reckon
from tests.acceptance.server import running
from tests.databases import PostgresqlServer

SECONDS = 3

STOP_SECONDS = 10
"""After which Docker kills what has not ended."""


def test_sqlite_is_locked(tmp_path: Path) -> None:
    """While another program holds the locks all are answered, and promptly."""
    assert locked_sqlite(tmp_path, SECONDS).faults == []


def test_postgresql_is_locked(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """While another program holds the tables it is the same."""
    assert locked_postgresql(tmp_path, postgresql, SECONDS).faults == []


def test_postgresql_is_gone(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """While there is no database all are answered but who would have to be looked up in it."""
    assert gone_postgresql(tmp_path, postgresql, SECONDS).faults == []


def test_a_stop_while_it_is_locked(tmp_path: Path) -> None:
    """A stop does not wait for ever; what could not be moved is moved after the next start."""
    journal = tmp_path / "data" / "journal.db"
    with (
        running(tmp_path, stopped=False) as server,
        Load(server.port, rate=200) as load,
        locked_files(journal),
    ):
        time.sleep(0.5)
        load.stop()
        assert server.stop() < STOP_SECONDS
    with running(tmp_path):
        pass
    assert reckon(load.toll.acknowledged, f"sqlite:///{journal}").faults(broken=0) == []
