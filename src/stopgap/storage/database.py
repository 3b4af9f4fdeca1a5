"""The database: SQLite or PostgreSQL behind one door, with transactions that mean what they say."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    exc,
    func,
    make_url,
    select,
    text,
)

from stopgap.clock import Clock
from stopgap.storage import sqlite
from stopgap.storage.database_faults import (
    DatabaseUnknown,
    DatabaseUnreachable,
    reason_of,
    translated,
)
from stopgap.storage.files import flush
from stopgap.storage.sqlite import BUSY_SECONDS, PATIENCE, WRITING, milliseconds

APART = timedelta(hours=1)
"""By which two clocks may differ, and be right enough for what is kept for hours."""


class Begin(Protocol):
    """How a transaction begins, and ends."""

    def __call__(
        self, connection: Connection, *, unbounded: bool
    ) -> AbstractContextManager[object]:
        """Open a transaction."""


def _begin(connection: Connection, *, unbounded: bool) -> AbstractContextManager[object]:
    """Open a transaction in SQLite, which sets a statement no bounds."""
    del unbounded
    return connection.begin()


class Database:
    """One database, for one process. Every transaction is either for reading or for writing."""

    def __init__(self, engine: Engine, name: str, begin: Begin = _begin) -> None:
        self.engine = engine
        self.name = name  # for people; never with a password
        self._begin = begin

    def read(self, *, unbounded: bool = False) -> AbstractContextManager[Connection]:
        """Open a transaction for reading; writing in it is an error.

        Args:
            unbounded: Whether a statement may take longer than one of a request, on PostgreSQL.

        Raises:
            DatabaseUnreachable: the database does not answer, or not in time.
        """
        return self._transaction(writing=False, unbounded=unbounded)

    def write(
        self, *, patience: float | None = None, unbounded: bool = False
    ) -> AbstractContextManager[Connection]:
        """Open a transaction for writing: kept at the end, undone by an error.

        SQLite lets one writer in at a time, from the beginning (BEGIN IMMEDIATE), so that what
        was read is still true when it is written. On PostgreSQL, lock the rows that matter.

        Args:
            patience: Seconds to wait for who holds a lock; None: as long as usual.
            unbounded: Whether a statement may take longer than one of a request, on PostgreSQL.

        Raises:
            DatabaseUnreachable: the database does not answer, is busy for too long, or takes
                nothing, being a standby or because our user may not write.
            DatabaseFull: its disk is full.
        """
        return self._transaction(writing=True, patience=patience, unbounded=unbounded)

    def check(self) -> None:
        """See whether the database answers.

        Raises:
            DatabaseUnreachable: it does not.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def other_time(self, clock: Clock) -> datetime | None:
        """Tell what time it is by PostgreSQL, which machines share; None: about what the clock has.

        SQLite has no clock but the machine's.
        """
        if self.engine.dialect.name == "sqlite":
            return None
        with self.read() as connection:
            told: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return told.astimezone(UTC) if abs(told - clock.now()) > APART else None

    def is_sound(self) -> bool:
        """Have SQLite look at all of its file; PostgreSQL sees to that by itself."""
        if self.engine.dialect.name != "sqlite":
            return True
        with self.read() as connection:
            return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")

    def settle(self) -> None:
        """See that what has been committed is on the disk.

        PostgreSQL does so at each commit. SQLite, as it is set up here, leaves its WAL to the
        system until it copies it into the database, and only then sees to both.
        """
        if self.engine.dialect.name == "sqlite":
            wal = Path(f"{self.engine.url.database}-wal")
            with suppress(FileNotFoundError):  # then it has been copied
                flush(wal)
                flush(wal.parent)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _transaction(
        self, *, writing: bool, unbounded: bool, patience: float | None = None
    ) -> Iterator[Connection]:
        option = {"postgresql_readonly": not writing, WRITING: writing, PATIENCE: patience}
        with (
            translated(self.name, self.engine.url),
            self._connect().execution_options(**option) as connection,
            self._begin(connection, unbounded=unbounded),
        ):
            if patience is not None and connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds(patience)}"))
            yield connection

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except exc.ProgrammingError as error:  # an option of the URL that the driver does not know
            raise DatabaseUnreachable(self.name, reason_of(error, self.engine.url)) from error


def lock(connection: Connection, what: int | str) -> None:
    """Let nobody else lock the same until the transaction ends; SQLite has one writer in any case.

    Args:
        what: The key of PostgreSQL's advisory lock, or a text that has a key of its own.
    """
    if connection.dialect.name == "postgresql":
        if isinstance(what, str):
            what = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(what)))


HIDDEN = True
"""Whether an error leaves out its statement's values: it ends in the log, and one of them may be a
password's hash, or what a client has asked."""


def open_database(url: str, *, lasting: bool = False) -> Database:
    """Make a database ready to use; a connection is made at the first transaction.

    Args:
        url: `sqlite:///PATH` (what follows the three slashes is the path as it is), or
            `postgresql://` (or `postgres://`) `USER:PASSWORD@HOST:PORT/NAME?OPTIONS`.
        lasting: Whether a power cut takes nothing that has been committed. PostgreSQL sees to that
            in any case; SQLite flushes at each commit then, and otherwise loses its last ones.

    Raises:
        DatabaseUnknown: the URL is none of these.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    scheme = found.group() if found else ""
    if scheme == "sqlite://":
        return _open_sqlite(url.removeprefix("sqlite://").removeprefix("/"), lasting=lasting)
    if scheme in ("postgresql://", "postgres://"):
        return _open_postgresql(url)
    raise DatabaseUnknown(scheme)


def _open_sqlite(path: str, *, lasting: bool) -> Database:
    if not path or ":memory:" in path:  # each of its connections would see a database of its own
        raise DatabaseUnknown("sqlite:// without a path")
    file = Path(path)
    name = f"SQLite database {file}"
    engine = create_engine(
        URL.create("sqlite", database=path),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        pool_timeout=BUSY_SECONDS,
        hide_parameters=HIDDEN,
    )
    event.listen(engine, "do_connect", partial(_see, file, name))
    sqlite.set_up(engine, lasting=lasting)
    return Database(engine, name)


def _see(file: Path, name: str, *_: object) -> None:
    """Make SQLite's file if it is not there, and see that it can be used; before it is connected.

    Raises:
        DatabaseUnreachable: it cannot be made, read or written.
    """
    try:
        if not file.exists():  # made here, so that nobody else may read the password hashes
            file.touch(mode=0o600)
        elif not os.access(file, os.R_OK | os.W_OK) or not file.is_file():
            raise DatabaseUnreachable(name, "it is no file that this user can read and write")
    except OSError as error:
        raise DatabaseUnreachable(name, error.strerror or str(error)) from error


def _open_postgresql(text_of_url: str) -> Database:
    from stopgap.storage import postgresql  # noqa: PLC0415  # 0.1 s that SQLite need not spend

    try:
        url = make_url(text_of_url).set(drivername="postgresql+psycopg")
    except (exc.ArgumentError, ValueError):  # whose words would repeat the password
        raise DatabaseUnknown("postgresql:// but cannot be read") from None
    if "@" in f"{url.host}{url.database}":  # the rest of a password, which nobody is to read
        raise DatabaseUnknown("postgresql:// and has an @ too many (a password's is written %40)")
    name = f"PostgreSQL database {url.database or ''} at {url.host or 'its socket'}"
    url = url.update_query_dict(postgresql.OPTIONS | dict(url.query))
    engine = create_engine(
        url, pool_pre_ping=True, pool_timeout=BUSY_SECONDS, hide_parameters=HIDDEN
    )
    postgresql.bound(engine)
    return Database(engine, name, postgresql.transaction)
