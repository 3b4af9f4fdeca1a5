"""SQLite's connections: their habits, and how their transactions begin."""

from functools import partial

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 10
"""How long a writer of SQLite waits for another, and anybody for a connection."""

WRITING, PATIENCE = "stopgap_writing", "stopgap_patience"
"""Options of a connection: what its next transaction is for, and how long it waits."""


def set_up(engine: Engine, *, lasting: bool) -> None:
    """Give an engine's connections their habits.

    Args:
        lasting: Whether a power cut, too, takes nothing that has been committed: a flush each time.
    """
    event.listen(engine, "connect", partial(_prepare, "FULL" if lasting else "NORMAL"))
    event.listen(engine, "begin", _begin)


def _prepare(synchronous: str, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Give a new connection its habits."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin a transaction ourselves; the driver's own way begins too late, or not at all."""
    options = connection.get_execution_options()
    writing, patience = options.get(WRITING, True), options.get(PATIENCE)
    wanted = milliseconds(BUSY_SECONDS if patience is None else patience)
    if connection.info.get(PATIENCE) != wanted:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {wanted}")
        connection.info[PATIENCE] = wanted
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writing else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def milliseconds(seconds: float) -> int:
    """Tell whole milliseconds, one at least: to both databases, 0 has a meaning of its own."""
    return max(1, round(seconds * 1_000))
