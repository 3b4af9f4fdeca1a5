"""PostgreSQL's connections: none waits for ever for a server that is frozen, or cut off.

A server that is there and says nothing (SIGSTOP, a hung disk, a lost network) ends no connection
by itself, and its own timeouts are as frozen as it is. So the waiting is bounded on this side.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Connection, Dialect, Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_SECONDS = 5
"""How long PostgreSQL may take to answer a new connection, or a used one that is to serve again."""

STATEMENT_SECONDS = 10
"""How long a statement of a request may take; as long as a writer of SQLite waits for another."""

GRACE_SECONDS = 2
"""How much later a server that has not ended a statement by itself is given up."""

OPTIONS = {
    "fallback_application_name": "stopgap",  # in pg_stat_activity
    "client_encoding": "utf8",  # also where the database says that it has none (SQL_ASCII)
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives_idle": "10",  # seconds
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",  # milliseconds
}
"""Options of libpq, where the URL has none: a lost network is noticed in 25 seconds, whoever waits.
Over a Unix socket, only the first means anything."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when its server says nothing for too long."""

    bound: float | None = CONNECT_SECONDS
    """Seconds of each wait for the server; None: as long as it takes."""

    def wait(self, gen: PQGen[RV], *args: Any, **named: Any) -> RV:
        """Wait for the server.

        Raises:
            psycopg.OperationalError: it says nothing.
        """
        if self.bound is None:
            return super().wait(gen, *args, **named)
        return super().wait(self._bounded(gen, self.bound), *args, **named)

    def _bounded(self, gen: PQGen[RV], seconds: float) -> PQGen[RV]:
        """Do what a wait does; psycopg asks ten times a second, come what may."""
        deadline = time.monotonic() + seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"it has said nothing for {seconds:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result


def bound(engine: Engine) -> None:
    """Have an engine's connections bounded, and the server end statements that take too long."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _limit_statements)


@contextmanager
def transaction(connection: Connection, *, unbounded: bool) -> Iterator[None]:
    """Open a transaction whose statements may take what a request may, or as long as they do."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, BoundedConnection)  # noqa: S101  # made below
    driver.bound = None if unbounded else STATEMENT_SECONDS + GRACE_SECONDS
    try:
        with connection.begin():
            if unbounded:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield
    finally:
        driver.bound = CONNECT_SECONDS


def _connect(
    _dialect: Dialect, _record: ConnectionPoolEntry, args: list[Any], named: dict[str, Any]
) -> BoundedConnection:
    return BoundedConnection.connect(*args, **named)


def _limit_statements(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = {STATEMENT_SECONDS * 1_000}")
    cursor.close()
    connection.commit()
