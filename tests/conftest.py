"""Fixtures for every test: a database, SQLite and PostgreSQL in turn, and a clock."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import settings
from tests.buckets import BucketServer, bucket_server
from tests.collectors import Collector, collector
from tests.databases import TEMPLATE, PostgresqlServer, postgresql_server
from tests.fakes import FakeClock
from tests.valkeys import ValkeyServer, valkey_server

from stopgap.storage.database import Database, open_database
from stopgap.storage.history import migrate

pytest_plugins = ["tests.turns"]

# How long an example takes says nothing of us: another process may have the machine at that moment.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

Kind = Literal["sqlite", "postgresql"]


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that the test moves."""
    return FakeClock()


@pytest.fixture
def nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every volume lock as NFS does: only files that are open for it; flock(2) tells."""
    lock = fcntl.flock

    def flock(descriptor: int, how: int) -> None:
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        if (how & fcntl.LOCK_EX, mode) == (fcntl.LOCK_EX, os.O_RDONLY):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if (how & fcntl.LOCK_SH, mode) == (fcntl.LOCK_SH, os.O_WRONLY):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Run one PostgreSQL for the whole run."""
    with postgresql_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer) -> Iterator[str]:
    """Give the URL of a new, empty PostgreSQL database."""
    name = postgresql.create()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Have the test run once on each kind of database."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def database_url(kind: Kind, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Give the URL of a new, empty database of each kind."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'stopgap.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one SQLite file with our schema, for others to be copied from."""
    path = tmp_path_factory.mktemp("template") / "stopgap.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        migrate(database)
    return path


@pytest.fixture
def migrated_url(kind: Kind, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a new database of each kind that has our schema and no rows."""
    if kind == "sqlite":
        path = tmp_path / "stopgap.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        name = server.create(TEMPLATE)
        yield server.url(name)
        server.drop(name)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Give a new database of each kind that has our schema and no rows."""
    with closing(open_database(migrated_url)) as opened:
        yield opened


@pytest.fixture(scope="session")
def bucket() -> Iterator[BucketServer]:
    """Run one server of the S3 protocol for the whole run."""
    with bucket_server() as server:
        yield server


@pytest.fixture
def bucket_url(bucket: BucketServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of an empty place in a bucket, which this process is a user of."""
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    return bucket.url()


@pytest.fixture(scope="session")
def valkey_of_the_run() -> Iterator[ValkeyServer]:
    """Run one Valkey for the whole run."""
    with valkey_server() as server:
        yield server


@pytest.fixture
def valkey(valkey_of_the_run: ValkeyServer) -> ValkeyServer:
    """Give a Valkey that is empty."""
    valkey_of_the_run.empty()
    return valkey_of_the_run


@pytest.fixture
def collects() -> Iterator[Collector]:
    """Run a collector of traces."""
    with collector() as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def objects_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a new place for objects of each kind."""
    if request.param == "folder":
        return str(tmp_path / "objects")
    url: str = request.getfixturevalue("bucket_url")
    return url
