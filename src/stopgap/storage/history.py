"""Histories: how tables came to be, and how a database is brought to their newest version."""

import logging
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection, TableClause, column, exc, inspect, select, table, text

from stopgap.errors import StartRefused, StopgapError
from stopgap.storage.database import Database, lock
from stopgap.storage.database_faults import DatabaseUnreachable, reason_of
from stopgap.storage.sqlite import BUSY_SECONDS

logger = logging.getLogger(__name__)


class DatabaseForeign(StartRefused):
    """The database holds something else already, so nothing in it has been changed."""

    def __init__(self, database: str, reason: str) -> None:
        super().__init__(f"The {database} is not Stopgap's: {reason}. Name an empty one.")


class DatabaseNewer(StartRefused):
    """The database was written by a newer Stopgap, so nothing in it has been changed."""

    def __init__(self, database: str, version: str, known: str) -> None:
        super().__init__(
            f"The {database} is of version {version}, and this Stopgap knows {known} at most; "
            "run the newer Stopgap, or name another database."
        )


class DatabaseUnsuitable(StartRefused):
    """The database's encoding cannot hold every text, so some answers would not get into it."""

    def __init__(self, database: str, encoding: str) -> None:
        super().__init__(
            f"The {database} has the encoding {encoding}, which cannot hold every text. Make one "
            "with ENCODING 'UTF8' and TEMPLATE template0."
        )


class DatabaseMixed(StartRefused):
    """A backup was restored over tables that a newer Stopgap had made, and they are still there."""

    def __init__(self, database: str, version: str, reason: str) -> None:
        super().__init__(
            f"The {database} is of version {version} and has newer tables ({reason}): a backup was "
            "restored over them. Restore it into an empty database."
        )


@dataclass(frozen=True, kw_only=True)
class History:
    """How some tables came to be, script by script; several may share one database."""

    folder: str  # in `migrations`; its scripts
    version: TableClause  # where the database keeps how far it has come
    head: str  # the newest script; a database that is there needs no Alembic (0.3 s)


MAIN = History(
    folder="versions",
    version=table("stopgap_version", column("version_num")),
    head="0004",
)
"""The history of the tables on `metadata`."""

JOURNAL = History(
    folder="journal/versions",
    version=table("stopgap_journal_version", column("version_num")),
    head="0002",
)
"""The journal's: on SQLite in a file of its own, on PostgreSQL beside the others."""

MIGRATION_LOCK = 0x53_74_6F_70_67_61_70
"""PostgreSQL's advisory lock under which one process at a time migrates: `Stopgap` in ASCII."""


ENCODINGS = ("UTF8", "SQL_ASCII")
"""Those of PostgreSQL that keep UTF-8 as it is."""

THERE = ("42P07", "42701", "42710")
"""How PostgreSQL says, in whatever language, that what is to be made is there: a table, a column,
another object."""

MAY_CREATE = text("SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)")
"""Whether this user may make tables."""

CLOSED_TABLES = text(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    " WHERE nspname = current_schema() AND relkind = 'r' AND relname = ANY(:ours)"
    " AND NOT (has_table_privilege(pg_class.oid, 'SELECT')"
    " AND has_table_privilege(pg_class.oid, 'INSERT')"
    " AND has_table_privilege(pg_class.oid, 'UPDATE')"
    " AND has_table_privilege(pg_class.oid, 'DELETE')) ORDER BY relname"
)
"""Those of some tables that this user may not read and write."""


def migrate(database: Database, history: History = MAIN) -> None:
    """Bring a history's tables to their newest version; several processes may do so at once.

    Raises:
        DatabaseForeign: it is no database, or one with tables that are not ours.
        DatabaseNewer: a newer Stopgap has been here.
        DatabaseUnsuitable: it cannot hold every text.
        DatabaseMixed: one has been, and half of what it made is.
        DatabaseUnreachable: it does not answer.
    """
    try:
        with database.read() as connection:
            version = version_of(connection, database.name, history)
    except DatabaseUnreachable as error:
        driver = getattr(error.__cause__, "orig", None)
        if getattr(driver, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise DatabaseForeign(database.name, "the file is no database") from error
        raise
    if database.engine.dialect.name == "sqlite":
        _use_wal(database)
    if version == history.head:
        return
    with database.write(unbounded=True) as connection:
        lock(connection, MIGRATION_LOCK)
        version = version_of(connection, database.name, history)
        if version != history.head:
            try:
                _upgrade(connection, history)
            except exc.DBAPIError as error:
                if _is_there(error):
                    reason = reason_of(error, database.engine.url)
                    raise _mixed(database.name, version, reason) from error
                raise
    if version not in {"", history.head}:
        told = "the tables of the %s have been brought from version %s to %s"
        logger.warning(told, database.name, version, history.head)


def _is_there(error: exc.DBAPIError) -> bool:
    """Tell whether a table, column or constraint could not be made because it is there."""
    code = getattr(error.orig, "sqlstate", None)
    return code in THERE or (code is None and "already exists" in str(error.orig))


def _mixed(name: str, version: str, reason: str) -> StopgapError:
    if version:
        return DatabaseMixed(name, version, reason)
    return DatabaseUnreachable(name, f"a backup is being restored, or was in part: {reason}")


def version_of(connection: Connection, name: str, history: History) -> str:
    """Tell the version of a history's tables; nothing where there are none yet.

    Raises:
        DatabaseForeign, DatabaseNewer, DatabaseUnsuitable: see `migrate`.
    """
    if connection.dialect.name == "postgresql":
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding not in ENCODINGS:
            raise DatabaseUnsuitable(name, str(encoding))
    tables = set(inspect(connection).get_table_names())
    if history.version.name in tables:
        version = str(connection.scalar(select(history.version.c.version_num)) or "")
        if version > history.head:
            raise DatabaseNewer(name, version, history.head)
        return version
    if tables and tables.isdisjoint({MAIN.version.name, JOURNAL.version.name}):
        shown = ", ".join(sorted(tables)[:3])
        raise DatabaseForeign(name, f"it has tables of its own ({shown})")
    return ""


def check_rights(
    connection: Connection, name: str, tables: Iterable[str], *, current: bool
) -> None:
    """See that PostgreSQL lets our user do what a server has to do.

    Args:
        tables: Those that it reads and writes.
        current: Whether the tables are of the newest version; else they have to be made.

    Raises:
        DatabaseUnreachable: it does not.
    """
    if not current:
        if not connection.scalar(MAY_CREATE):
            raise DatabaseUnreachable(name, "its user may not make tables in this schema")
    elif closed := connection.scalars(CLOSED_TABLES, {"ours": list(tables)}).all():
        shown = ", ".join(closed[:3])
        raise DatabaseUnreachable(name, f"its user may not read and write all of it ({shown})")


def _use_wal(database: Database) -> None:
    """Let SQLite's readers and its writer not wait for each other; the file remembers it.

    SQLite itself does not wait for its turn here, while somebody else has the file.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(database.engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise DatabaseUnreachable(database.name, str(error)) from error
                time.sleep(0.02)
            else:
                return


def _upgrade(connection: Connection, history: History) -> None:
    from alembic import command  # noqa: PLC0415  # 0.3 s that most starts need not spend
    from alembic.config import Config  # noqa: PLC0415  # the same

    attributes = {"connection": connection, "version_table": history.version.name}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", "stopgap.storage:migrations")
    config.set_main_option("version_locations", f"stopgap.storage:migrations/{history.folder}")
    config.set_main_option("path_separator", "newline")
    command.upgrade(config, history.head)
