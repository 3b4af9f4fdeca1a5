"""Migrations: from nothing to the newest schema, whoever asks; never in what is not ours."""

import hashlib
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from tests.databases import tables

from stopgap.storage.columns import metadata
from stopgap.storage.database import Database, open_database
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.storage.history import MAIN, DatabaseForeign, DatabaseMixed, DatabaseNewer, migrate

SOURCE = Path(__file__).parents[2] / "src"

for store in SOURCE.glob("stopgap/*/store*"):
    import_module(f"stopgap.{store.parent.name}.store")  # every noun's tables


def test_the_schema_is_the_nouns_tables(database: Database) -> None:
    """The schema has the columns, types, indexes and constraints that the nouns declare."""
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": MAIN.version.name, "compare_type": True},
        )
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            names = {constraint["name"] for constraint in found.get_check_constraints(table.name)}
            checks = {c.name for c in table.constraints if isinstance(c, CheckConstraint)}
            assert names == checks
            assert found.get_pk_constraint(table.name)["name"] == table.primary_key.name
            assert {key["name"] for key in found.get_foreign_keys(table.name)} == {
                key.name for key in table.foreign_key_constraints
            }


def test_comparing_notices_a_difference(database: Database) -> None:
    """The comparison that the test above relies on sees a column that only the database has."""
    with database.write() as connection:
        connection.execute(text("ALTER TABLE accounts ADD COLUMN surprise INTEGER"))
        context = MigrationContext.configure(connection, opts={"version_table": MAIN.version.name})
        assert len(compare_metadata(context, metadata)) == 1


def test_migrating_again_changes_nothing(database_url: str) -> None:
    """A database that is there stays as it is."""
    with closing(open_database(database_url)) as database:
        migrate(database)
        before = tables(database)
        migrate(database)
        assert tables(database) == before == {*metadata.tables, MAIN.version.name}


def test_a_new_version_is_told(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever migrates tables that were there already says so: an older server cannot start now."""
    with closing(open_database(database_url)) as database:
        migrate(database, replace(MAIN, head="0002"))
        assert caplog.records == []
        for _ in range(2):
            migrate(database)
    [told] = caplog.records
    assert told.getMessage().endswith(f"been brought from version 0002 to {MAIN.head}")


def _migrate(url: str, barrier: Barrier) -> None:
    with closing(open_database(url)) as database:
        barrier.wait()
        migrate(database)


def test_several_processes_migrate_at_once(database_url: str) -> None:
    """Of several processes that start together one migrates, and none fails."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(4)
    processes = [spawn.Process(target=_migrate, args=(database_url, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with closing(open_database(database_url)) as database:
        assert {*metadata.tables, MAIN.version.name} == tables(database)


def test_a_start_without_news_needs_no_alembic(migrated_url: str) -> None:
    """Alembic takes as long to load as all the rest, so it is loaded only to migrate."""
    program = (
        "import sys; from stopgap.storage.database import open_database; "
        "from stopgap.storage.history import migrate; "
        "migrate(open_database(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, migrated_url],
        env={"PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert done.returncode == 0


def test_sqlite_needs_nothing_of_postgresql(tmp_path: Path) -> None:
    """A start on SQLite does without the driver of PostgreSQL, which takes its time to load."""
    program = (
        "import sys; from stopgap.wiring.application import create_app; "
        "create_app(); sys.exit('psycopg' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(SOURCE)}, check=False
    )
    assert done.returncode == 0


def test_sqlite_keeps_a_write_ahead_log(tmp_path: Path) -> None:
    """SQLite's readers do not wait for its writer, whoever opens the file."""
    path = tmp_path / "a.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        migrate(database)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_sqlite_waits_for_its_log(tmp_path: Path) -> None:
    """A start while somebody else has the file waits, and is not left without the log."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.5, other.rollback).start()
        with closing(open_database(f"sqlite:///{path}")) as database:
            migrate(database)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_tables_of_others_are_left_alone(database_url: str) -> None:
    """A database that somebody else uses is refused, and nothing in it changes."""
    with closing(open_database(database_url)) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE customers (name VARCHAR(10))"))
        with pytest.raises(DatabaseForeign, match=r"customers") as caught:
            migrate(database)
        assert tables(database) == {"customers"}
    assert "a-password" not in caught.value.detail


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_foreign_file_keeps_every_byte(tmp_path: Path) -> None:
    """Another program's SQLite file is refused, the same to the byte, alone in its folder."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE customers (name TEXT)")
    before = _digest(path)
    with (
        closing(open_database(f"sqlite:///{path}")) as database,
        pytest.raises(DatabaseForeign),
    ):
        migrate(database)
    assert _digest(path) == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"hello, world\n" * 100, b"\x89PNG\r\n\x1a\n" * 200])
def test_a_file_that_is_no_database_is_left_alone(content: bytes, tmp_path: Path) -> None:
    """A file of another kind is refused, and stays as it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with (
        closing(open_database(f"sqlite:///{path}")) as database,
        pytest.raises(DatabaseForeign, match=r"notes\.txt"),
    ):
        migrate(database)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_database_is_left_alone(database: Database) -> None:
    """What a newer Stopgap has made is refused, with both versions told."""
    with database.write() as connection:
        connection.execute(MAIN.version.update().values(version_num="9001"))
    with pytest.raises(DatabaseNewer, match=rf"9001.*{MAIN.head}"):
        migrate(database)
    with database.read() as connection:
        assert connection.scalar(MAIN.version.select()) == "9001"


def test_a_backup_restored_over_newer_tables(database: Database) -> None:
    """Where the version is old and the tables are new, the start says what to do."""
    with database.write() as connection:
        connection.execute(MAIN.version.update().values(version_num="0003"))
    with pytest.raises(DatabaseMixed, match=r"0003.*release_troubles.*into an empty database"):
        migrate(database)
    with database.read() as connection:
        assert connection.scalar(MAIN.version.select()) == "0003"


def test_a_backup_that_is_being_restored(database: Database) -> None:
    """Tables without their version are those of a restore that goes on; that is no mistake yet."""
    with database.write() as connection:
        connection.execute(MAIN.version.delete())
    with pytest.raises(DatabaseUnreachable, match=r"being restored.*accounts"):
        migrate(database)


def test_a_migration_that_fails_leaves_nothing(database_url: str) -> None:
    """Tables and version come together or not at all."""
    with closing(open_database(database_url)) as database:

        def fail_halfway() -> None:
            with database.write() as connection:
                metadata.create_all(connection)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_halfway()
        assert tables(database) == set()
