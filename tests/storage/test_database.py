"""The database: one door to SQLite and PostgreSQL."""

import os
import re
import shutil
import sqlite3
import stat
import threading
import time
import traceback
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from tests.fakes import FakeClock
from tests.journal.test_spool import no_room_beyond

from stopgap.problems import document
from stopgap.storage.columns import Moment
from stopgap.storage.database import Database, open_database
from stopgap.storage.database_faults import DatabaseFull, DatabaseUnknown, DatabaseUnreachable
from stopgap.storage.history import migrate

MAKE = text("CREATE TABLE things (name VARCHAR(10) PRIMARY KEY)")
ADD = text("INSERT INTO things VALUES ('one')")
COUNT = text("SELECT count(*) FROM things")


@pytest.fixture
def things(database: Database) -> Database:
    """Give a database with a table to play with."""
    with database.write() as connection:
        connection.execute(MAKE)
    return database


def test_a_written_transaction_is_kept(things: Database) -> None:
    """What a transaction wrote is there for the next one."""
    with things.write() as connection:
        connection.execute(ADD)
    with things.read() as connection:
        assert connection.scalar(COUNT) == 1


def test_an_error_undoes_the_whole_transaction(things: Database) -> None:
    """An error inside undoes everything, tables that it made included."""

    def fail_halfway() -> None:
        with things.write() as connection:
            connection.execute(ADD)
            connection.execute(text("CREATE TABLE others (name VARCHAR(10))"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with things.write() as connection:
        assert connection.scalar(COUNT) == 0
        connection.execute(text("CREATE TABLE others (name VARCHAR(10))"))


def test_reading_cannot_write(things: Database) -> None:
    """Writing in a transaction for reading is an error, and the next one can write again."""
    with pytest.raises((exc.DBAPIError, DatabaseUnreachable)), things.read() as connection:
        connection.execute(ADD)
    with things.write() as connection:
        connection.execute(ADD)


def test_a_reader_sees_one_moment(migrated_url: str) -> None:
    """On SQLite a reader is not disturbed by a writer, nor the writer by it."""
    with closing(open_database(migrated_url)) as database:
        with database.write() as connection:
            connection.execute(MAKE)
        with database.read() as reader:
            assert reader.scalar(COUNT) == 0
            with database.write() as writer:
                writer.execute(ADD)
            assert reader.scalar(COUNT) == (0 if database.engine.name == "sqlite" else 1)


def test_read_then_write_is_one_step_on_sqlite(tmp_path: Path) -> None:
    """Writers of SQLite come one after another, so none overwrites what another has just read."""
    with closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE counter (value INTEGER)"))
            connection.execute(text("INSERT INTO counter VALUES (0)"))

        def count() -> None:
            for _ in range(25):
                with database.write() as connection:
                    value = connection.scalar(text("SELECT value FROM counter")) or 0
                    time.sleep(0)
                    connection.execute(text("UPDATE counter SET value = :v"), {"v": value + 1})

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with database.read() as connection:
            assert connection.scalar(text("SELECT value FROM counter")) == 100


def test_foreign_keys_hold(database: Database) -> None:
    """A row cannot belong to an account that is not there."""
    with pytest.raises(exc.IntegrityError), database.write() as connection:
        connection.execute(
            text("INSERT INTO keys VALUES ('id', 'nobody', 'digest', 'label', 0, NULL)")
        )


def test_a_moment_is_kept_exactly(things: Database) -> None:
    """A moment comes back equal to the microsecond, in UTC, whatever its time zone was."""
    moment = datetime(2026, 7, 1, 12, 0, 0, 123_457, tzinfo=timezone(timedelta(hours=2)))
    with things.write() as connection:
        connection.execute(text("CREATE TABLE moments (at BIGINT)"))
        statement = text("INSERT INTO moments VALUES (:at)")
        connection.execute(statement, {"at": Moment().process_bind_param(moment, DIALECT)})
        kept = connection.execute(text("SELECT at FROM moments").columns(at=Moment)).scalar_one()
    assert kept == moment
    assert kept.tzinfo is UTC


DIALECT = SQLiteDialect_pysqlite()


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back(moment: datetime) -> None:
    """Every moment of the calendar comes back as it was."""
    written = Moment().process_bind_param(moment, DIALECT)
    assert Moment().process_result_value(written, DIALECT) == moment


def test_a_moment_without_time_zone_is_refused() -> None:
    """A moment that does not say its time zone is a mistake of ours, never a guess."""
    with pytest.raises(TypeError):
        Moment().process_bind_param(datetime(2026, 7, 1), DIALECT)  # noqa: DTZ001  # the mistake


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://u:hunter2@host/db",
        "u:hunter2@host/db",
        "oracle+driver://u:hunter2@h",
        "postgresql://u:hunter2@host:port/db",
        "postgresql://u:one@hunter2@host/db",
        "postgresql://u:one@two/hunter2@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "://hunter2",
    ],
)
def test_unknown_urls_are_named_without_their_password(url: str) -> None:
    """A URL of another kind is refused; the known kinds are listed, and no password is repeated."""
    with pytest.raises(DatabaseUnknown) as caught:
        open_database(url)
    assert "sqlite:///PATH" in caught.value.detail
    assert "postgresql://" in caught.value.detail
    assert "hunter2" not in caught.value.detail
    assert caught.value.__cause__ is None


def test_an_at_sign_in_a_password() -> None:
    """Who has an @ in a password is told how to write it; so written, it is read."""
    with pytest.raises(DatabaseUnknown, match="written %40"):
        open_database("postgresql://u:one@two@host/db")
    with closing(open_database("postgresql://u:one%40two@host/db")) as database:
        assert database.engine.url.password == "one@two"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_an_absent_server_is_unreachable(scheme: str, tmp_path: Path) -> None:
    """A server that is not there is told in one line, at the first use, without the password."""
    url = f"{scheme}://somebody:hunter2@/db?host={tmp_path}&sslpassword=hunter3"
    with (
        closing(open_database(url)) as database,
        pytest.raises(DatabaseUnreachable, match="cannot be used") as caught,
    ):
        database.check()
    assert not re.search("hunter[23]|\n", caught.value.detail)
    assert caught.value.retry_after


def test_only_secrets_are_masked(tmp_path: Path) -> None:
    """What is told of a failure has the values of plain options in it, ours and the URL's."""
    folder = tmp_path / "at-5"
    with (
        closing(open_database(f"postgresql:///db?host={folder}&sslpassword=at-")) as database,
        pytest.raises(DatabaseUnreachable) as caught,
    ):
        database.check()
    assert f"{tmp_path}/***5/" in caught.value.detail


def test_strangers_are_not_told_where_it_is(tmp_path: Path) -> None:
    """Over HTTP nothing is told of the database but that it is away, or has no room."""
    for error in (DatabaseUnreachable(str(tmp_path), "no"), DatabaseFull(str(tmp_path))):
        assert str(tmp_path) in error.detail
        assert str(tmp_path) not in document(error, "0" * 32)["detail"]


def test_a_disk_error_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite says `disk I/O error` and the disk has no room, that is told as what it is."""
    file = tmp_path / "a.db"
    for free, kind in ((0, DatabaseFull), (10**9, DatabaseUnreachable)):
        with closing(open_database(f"sqlite:///{file}")) as database:
            migrate(database)
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        with (
            closing(open_database(f"sqlite:///{file}")) as database,
            no_room_beyond(0),
            pytest.raises(kind),
        ):
            database.check()


def test_an_error_keeps_the_values_to_itself(database: Database) -> None:
    """What a statement was to write is not told by its error, which ends in the log."""
    add, value = text("INSERT INTO nowhere VALUES (:name)"), f"hash-{time.monotonic()}"
    with pytest.raises((exc.DBAPIError, DatabaseUnreachable)) as caught, database.write() as into:
        into.execute(add, {"name": value})
    told = "".join(traceback.format_exception(caught.value))
    assert "nowhere" in told
    assert value not in told


def test_a_refused_row_is_not_told(things: Database) -> None:
    """A row that a table refuses is not in the error: PostgreSQL would tell its values."""
    add, value = text("INSERT INTO things VALUES (:name)"), "hash-ed"
    with things.write() as connection:
        connection.execute(add, {"name": value})
    with pytest.raises(exc.IntegrityError) as caught, things.write() as connection:
        connection.execute(add, {"name": value})
    told = "".join(traceback.format_exception(caught.value))
    assert "things" in told
    assert value not in told


def test_a_wrong_option_is_unreachable_too(postgresql_url: str) -> None:
    """An option that the driver does not know is told like an absent server."""
    with (
        closing(open_database(f"{postgresql_url}&no_such_option=1")) as database,
        pytest.raises(DatabaseUnreachable, match="no_such_option"),
    ):
        database.check()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("0A000", "cannot set transaction read-write mode during recovery"),
        ("42501", "permission denied for table things"),
        ("42P01", 'relation "things" does not exist'),
        ("42P10", "there is no unique constraint matching the ON CONFLICT specification"),
    ],
)
def test_a_server_that_takes_nothing(postgresql_url: str, code: str, told: str) -> None:
    """A standby, one on which our user may not write, and half a restored one, are away."""
    raising = text(f"DO $$BEGIN RAISE EXCEPTION '{told}' USING ERRCODE = '{code}'; END$$")
    with (
        closing(open_database(postgresql_url)) as database,
        pytest.raises(DatabaseUnreachable, match=f"cannot be used: {told}.$"),
        database.write() as connection,
    ):
        connection.execute(raising)


def test_other_refusals_are_our_mistake(postgresql_url: str) -> None:
    """What else PostgreSQL refuses is nothing that time mends: to write where one only reads."""
    with closing(open_database(postgresql_url)) as database:
        with database.write() as connection:
            connection.execute(MAKE)
        with pytest.raises(exc.DBAPIError), database.read() as connection:
            connection.execute(ADD)


def test_a_server_that_comes_back_is_used_again(postgresql_url: str) -> None:
    """A connection that the server has closed is replaced without an error."""
    with closing(open_database(postgresql_url)) as database:
        database.check()
        with closing(open_database(postgresql_url)) as other, other.write() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        database.check()


@pytest.mark.parametrize("path", ["missing/stopgap.db", ".", "file/stopgap.db"])
def test_a_file_that_cannot_be_is_unreachable(path: str, tmp_path: Path) -> None:
    """A missing folder, a folder for a file and a file for a folder are told in one line."""
    (tmp_path / "file").touch()
    with (
        closing(open_database(f"sqlite:///{tmp_path / path}")) as database,
        pytest.raises(DatabaseUnreachable, match=re.escape(str(tmp_path))),
    ):
        database.check()
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else on the machine can read the file that holds the password hashes."""
    with closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        migrate(database)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize(
    "name", ["with space", "with?question", "with%41percent", "with#hash", "ü"]
)
def test_a_path_is_taken_as_it_is(name: str, tmp_path: Path) -> None:
    """What follows sqlite:/// is the path; no character in it means anything else."""
    with closing(open_database(f"sqlite:///{tmp_path / name}")) as database:
        database.check()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """A disk that is full is told as that, and the database works again when there is room."""
    with closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE blobs (content BLOB)"))

        def fill(pages: int) -> None:
            with database.write() as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
                connection.execute(text("INSERT INTO blobs VALUES (zeroblob(100000))"))

        with pytest.raises(DatabaseFull):
            fill(pages=10)
        fill(pages=1000)


def test_a_commit_survives_in_the_file(tmp_path: Path) -> None:
    """What was kept can be read by any other program that speaks SQLite."""
    path = tmp_path / "a.db"
    with (
        closing(open_database(f"sqlite:///{path}")) as database,
        database.write() as connection,
    ):
        connection.execute(MAKE)
        connection.execute(ADD)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT name FROM things").fetchall() == [("one",)]


@pytest.mark.parametrize(("lasting", "level"), [(True, 2), (False, 1)])
def test_what_lasts_is_flushed_at_each_commit(tmp_path: Path, lasting: bool, level: int) -> None:
    """SQLite is told (FULL, or NORMAL) whether a power cut may take its last commits."""
    opened = open_database(f"sqlite:///{tmp_path / 'a.db'}", lasting=lasting)
    with closing(opened) as database, database.write() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == level


def test_patience_is_for_one_transaction(things: Database) -> None:
    """Who has little patience is told soon that somebody holds a lock; others wait as ever."""
    lock = text("LOCK TABLE things" if things.engine.dialect.name == "postgresql" else "SELECT 1")
    waited: list[float] = []

    def wait_for_the_lock() -> None:
        began = time.monotonic()
        with things.write() as connection:
            connection.execute(ADD)
        waited.append(time.monotonic() - began)

    with things.write() as holder:
        holder.execute(lock)
        for _ in range(2):  # once over a new connection, once over a used one
            began = time.monotonic()
            with pytest.raises(DatabaseUnreachable), things.write(patience=0.05) as connection:
                connection.execute(ADD)
            assert 0.04 < time.monotonic() - began < 2
        waiting = threading.Thread(target=wait_for_the_lock)
        waiting.start()
        time.sleep(0.5)
    waiting.join()
    assert waited[0] > 0.4


def test_settling_flushes_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's log is on the disk afterwards, and so is its name: a segment is deleted then."""
    flushed: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    with closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        with database.write() as connection:
            connection.execute(MAKE)
        (tmp_path / "a.db-wal").touch()
        monkeypatch.setattr(os, "fsync", note)  # the operating system's part, not ours
        database.settle()
    assert flushed == [str(tmp_path / "a.db-wal"), str(tmp_path)]


def test_a_damaged_file(tmp_path: Path) -> None:
    """Who meets the damage is told of it, as of a database that is away; the rest goes on."""
    path = tmp_path / "some.db"
    with closing(open_database(f"sqlite:///{path}")) as opened:
        with opened.write() as connection:
            connection.execute(MAKE)
            connection.execute(ADD)
            connection.execute(text("CREATE TABLE others (name VARCHAR(10))"))
        assert opened.is_sound()
    with path.open("r+b") as file:
        file.seek(4096)  # the second page: the table's
        file.write(b"\xff" * 4096)
    with closing(open_database(f"sqlite:///{path}")) as opened:
        with pytest.raises(DatabaseUnreachable, match="it is damaged"), opened.read() as connection:
            connection.scalar(COUNT)
        with opened.read() as connection:
            assert connection.scalar(text("SELECT count(*) FROM others")) == 0
        assert not opened.is_sound()


def test_a_file_that_is_written_over(tmp_path: Path) -> None:
    """A database that is none any more, once the server runs, is told as one that is damaged."""
    path = tmp_path / "some.db"
    with closing(open_database(f"sqlite:///{path}")) as opened:
        migrate(opened)
    path.write_bytes(b"no database" * 1_000)
    with (
        closing(open_database(f"sqlite:///{path}")) as opened,
        pytest.raises(DatabaseUnreachable, match="it is damaged"),
        opened.read() as connection,
    ):
        connection.scalar(COUNT)


def test_a_damaged_beginning(tmp_path: Path) -> None:
    """A file whose list of tables is damaged is told so at the start."""
    path = tmp_path / "some.db"
    with closing(open_database(f"sqlite:///{path}")) as opened:
        migrate(opened)
    with path.open("r+b") as file:
        file.seek(100)  # behind the header
        file.write(b"\xff" * 3_996)
    with (
        closing(open_database(f"sqlite:///{path}")) as opened,
        pytest.raises(DatabaseUnreachable, match="it is damaged"),
    ):
        migrate(opened)


@pytest.mark.parametrize(("hours", "differs"), [(0, False), (0.9, False), (1.1, True), (-2, True)])
def test_two_clocks(*, database: Database, hours: float, differs: bool) -> None:
    """PostgreSQL's clock is another one if it is an hour off; SQLite has none of its own."""
    now = datetime.now(UTC)
    other = database.other_time(FakeClock(now + timedelta(hours=hours)))
    assert (other is not None) is (differs and database.engine.dialect.name != "sqlite")
    assert other is None or abs(other - now) < timedelta(minutes=1)
