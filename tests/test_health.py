"""The health of this server: told to everybody, in good time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.journal.test_spool import no_room_beyond
from tests.storage.test_postgresql import backend, frozen

from stopgap.clock import RandomIds, SystemClock
from stopgap.health import PATIENCE_SECONDS, Health
from stopgap.journal.spool import Spool, SpoolUnwritable
from stopgap.models.failures import ModelUnavailable
from stopgap.storage.database import Database, open_database
from stopgap.storage.database_faults import DatabaseUnreachable

ASKERS = 20


@pytest.fixture
def opened(postgresql_url: str) -> Iterator[Database]:
    """Give a PostgreSQL database."""
    with closing(open_database(postgresql_url)) as database:
        yield database


def test_well(database: Database) -> None:
    """Where the database answers, the server can serve."""
    Health(database, SystemClock().monotonic, ready=well).check()


def test_a_frozen_database(opened: Database) -> None:
    """All who ask are told in two seconds, later ones at once, by one thread; and that it is back.

    The database is reached through a Unix socket, over which no network's timeout holds.
    """
    health = Health(opened, SystemClock().monotonic, ready=well)
    with frozen(backend(opened)):
        threads = threading.active_count()
        with ThreadPoolExecutor(ASKERS) as askers:
            took = list(askers.map(lambda _: refused_after(health), range(ASKERS)))
            assert threading.active_count() <= threads + ASKERS + 1
        assert PATIENCE_SECONDS - 0.5 < max(took) < PATIENCE_SECONDS + 1
        assert refused_after(health) < 1
    deadline = time.monotonic() + 10
    while True:
        try:
            health.check()
        except DatabaseUnreachable:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            break


def test_a_full_disk(database: Database, tmp_path: Path) -> None:
    """After a record that could not be kept the server is not well, until one could be again.

    Nobody need ask for a prediction meanwhile: a load balancer lets nobody do so.
    """
    folder = tmp_path / "spool"
    with closing(Spool(folder, RandomIds())) as spool:
        health = Health(database, SystemClock().monotonic, ready=well, spool=spool)
        health.check()
        with no_room_beyond(0):
            with pytest.raises(SpoolUnwritable):
                spool.append(b"record")
            with pytest.raises(SpoolUnwritable):
                health.check()
            Health(
                database, SystemClock().monotonic, ready=well
            ).check()  # an answer needs no record
        health.check()
        assert list(folder.iterdir()) == []


def test_nobody_answers_yet(database: Database) -> None:
    """Before a model that has to answer is loaded, the server cannot serve."""

    def ready() -> None:
        raise ModelUnavailable("it is not loaded yet", 1.0)

    with pytest.raises(ModelUnavailable):
        Health(database, SystemClock().monotonic, ready=ready).check()


def well() -> None:
    """Say that there is somebody to answer."""


def refused_after(health: Health) -> float:
    """Tell the seconds after which one is told that the database does not answer."""
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable, match="has not answered for 2 seconds"):
        health.check()
    return time.monotonic() - began
