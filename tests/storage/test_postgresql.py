"""PostgreSQL's connections: a server that says nothing is given up in time."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text
from tests.databases import PostgresqlServer

from stopgap.storage import postgresql
from stopgap.storage.database import Database, open_database
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.storage.history import DatabaseUnsuitable, migrate


@pytest.fixture
def opened(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Give a database whose patience is a test's."""
    monkeypatch.setattr(postgresql, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(postgresql, "GRACE_SECONDS", 0.5)
    with closing(open_database(postgresql_url)) as database:
        yield database


@contextmanager
def frozen(process: int) -> Iterator[None]:
    """Stop a process, which keeps its connections; let it go on afterwards."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def backend(database: Database) -> int:
    """Tell the process that serves the connection which is taken next."""
    with database.read() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def sleep(database: Database, seconds: float, *, unbounded: bool = False) -> None:
    """Have the server take its time with a statement."""
    with database.read(unbounded=unbounded) as connection:
        connection.execute(text(f"SELECT pg_sleep({seconds})"))


def test_a_statement_takes_as_long_as_a_request_may(opened: Database) -> None:
    """The server ends what takes too long, tells so, and serves the same connection again."""
    process = backend(opened)
    with pytest.raises(DatabaseUnreachable, match="statement timeout"):
        sleep(opened, 30)
    assert backend(opened) == process


def test_what_is_no_request_takes_its_time(opened: Database) -> None:
    """An unbounded transaction is not ended, and the next one is bounded again."""
    sleep(opened, 1.5, unbounded=True)
    with pytest.raises(DatabaseUnreachable):
        sleep(opened, 1.5)


def test_a_frozen_server_is_given_up(opened: Database) -> None:
    """A server that freezes while it is asked, and ends nothing by itself, is told as away."""

    def freeze_and_ask() -> None:
        with opened.read() as connection, frozen(process):
            connection.execute(text("SELECT 1"))

    process = backend(opened)
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable, match="has said nothing for 1 seconds"):
        freeze_and_ask()
    assert 0.9 < time.monotonic() - began < 5
    assert backend(opened) != process


def test_a_frozen_connection_is_replaced(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only a pooled connection's server is frozen, another connection serves instead."""
    monkeypatch.setattr(postgresql, "CONNECT_SECONDS", 0.5)
    process = backend(opened)
    with frozen(process):
        began = time.monotonic()
        assert backend(opened) != process
        assert 0.4 < time.monotonic() - began < 5


@pytest.mark.parametrize(("option", "name"), [("", "stopgap"), ("application_name=ours", "ours")])
def test_connections_have_a_name(postgresql_url: str, option: str, name: str) -> None:
    """Whoever looks at the server's connections sees which are Stopgap's, or the URL's own name."""
    url = f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}{option}"
    with closing(open_database(url)) as database, database.read() as connection:
        assert connection.scalar(text("SHOW application_name")) == name


def test_an_encoding_that_holds_some_texts(postgresql: PostgresqlServer) -> None:
    """Of what is answered, some could not be put on record; so nothing is begun."""
    name = postgresql.create(encoding="LATIN1")
    with (
        closing(open_database(postgresql.url(name))) as database,
        pytest.raises(DatabaseUnsuitable, match=r"encoding LATIN1.*ENCODING 'UTF8'"),
    ):
        migrate(database)
    postgresql.drop(name)


def test_no_encoding_holds_every_text(postgresql: PostgresqlServer) -> None:
    """A database without an encoding (SQL_ASCII) keeps texts as they are written."""
    name = postgresql.create(encoding="SQL_ASCII")
    with closing(open_database(postgresql.url(name))) as database:
        migrate(database)
        with database.read() as connection:
            assert connection.scalar(text("SELECT :city"), {"city": "Łódź"}) == "Łódź"
    postgresql.drop(name)
