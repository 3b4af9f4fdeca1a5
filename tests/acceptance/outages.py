"""Outages: the database locked or away for a while, as clients keep asking."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import text
from tests.acceptance.client import COOKIE
from tests.acceptance.load import Load, Toll
from tests.acceptance.processes import children
from tests.acceptance.reckoning import Reckoning, reckon
from tests.acceptance.server import running
from tests.databases import PostgresqlServer

from stopgap.storage.database import open_database

KNOWN_RATE, UNKNOWN_RATE = 50, 400
"""Requests per second of somebody signed in, and of others."""

AROUND_SECONDS = 0.3
"""Of asking before and after."""

PROMPT_SECONDS = 1.0
"""In which everybody is answered, whatever the database does."""

Outage = Callable[[], AbstractContextManager[object]]

SEEN_LONG_AGO = text("UPDATE sessions SET last_seen_at = 0")
"""So that the next request of whoever is signed in is due to be noted in the database."""


@contextmanager
def locked_files(*files: Path) -> Iterator[None]:
    """Hold the locks of SQLite databases, so that nobody else can write."""
    with ExitStack() as locks:
        for file in files:
            connection = locks.enter_context(closing(sqlite3.connect(file, timeout=10)))
            connection.isolation_level = None
            connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def locked_tables(url: str) -> Iterator[None]:
    """Hold the journal's records for ourselves alone, and let nobody write to the sessions."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE journal_records IN ACCESS EXCLUSIVE MODE")
        connection.execute("LOCK TABLE sessions IN EXCLUSIVE MODE")
        yield


@contextmanager
def gone(server: PostgresqlServer, name: str) -> Iterator[None]:
    """Cut a database off, as a stop of its server does: connections end, and none is let in."""
    server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    try:
        yield
    finally:
        server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


@contextmanager
def frozen(server: PostgresqlServer) -> Iterator[None]:
    """Stop all of a database server's processes: connections stay, and nobody says a word."""
    stopped = []
    try:
        for process in (server.process, *children(server.process)):
            os.kill(process, signal.SIGSTOP)
            stopped.append(process)
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What came of an outage."""

    known: Toll  # of callers who are signed in, about whom the database may have to be asked
    unknown: Toll
    reckoning: Reckoning
    known_may_fail: bool  # where nobody is there who could tell who they are

    @property
    def faults(self) -> list[str]:
        """What does not hold: nobody is refused, nobody unknown waits, all is there once."""
        found = self.reckoning.faults(broken=0)
        if self.unknown.failed:
            found.append(f"unknown callers failed: {self.unknown}")
        if self.unknown.slowest > PROMPT_SECONDS:
            found.append(f"unknown callers waited for {self.unknown.slowest:.1f} s")
        if self.known.failed and not self.known_may_fail:
            found.append(f"known callers failed: {dict(self.known.refused)}")
        if self.known.slowest > PROMPT_SECONDS:
            found.append(f"known callers waited for {self.known.slowest:.1f} s")
        if self.known.failed > self.known.refused[503]:
            found.append(f"known callers got no honest answer: {dict(self.known.refused)}")
        return found


def locked_sqlite(folder: Path, seconds: float) -> Passed:
    """Ask while another program holds the locks of the journal and of the accounts."""
    accounts, journal = (folder / "data" / name for name in ("stopgap.db", "journal.db"))
    urls = f"sqlite:///{accounts}", f"sqlite:///{journal}"
    return _ask_through(folder, partial(locked_files, journal, accounts), seconds, *urls)


def locked_postgresql(folder: Path, server: PostgresqlServer, seconds: float) -> Passed:
    """Ask while another program holds the locks of all tables."""
    url = server.url(server.create())
    return _ask_through(folder, partial(locked_tables, url), seconds, url, url)


def gone_postgresql(folder: Path, server: PostgresqlServer, seconds: float) -> Passed:
    """Ask while the database is not there."""
    name = server.create()
    url = server.url(name)
    outage = partial(gone, server, name)
    return _ask_through(folder, outage, seconds, url, url, known_may_fail=True)


def _ask_through(
    folder: Path,
    outage: Outage,
    seconds: float,
    accounts: str,
    journal: str,
    *,
    known_may_fail: bool = False,
) -> Passed:
    """Ask before, during and after an outage; then stop the server, and count."""
    settings = {"STOPGAP_WORKERS": "2", "DATABASE_URL": accounts}
    with running(folder, settings) as server:
        client = server.client()
        client.sign_in("orhan", "12345")
        cookie = {"Cookie": f"{COOKIE}={client.cookie}"}
        with (
            Load(server.port, connections=2, rate=KNOWN_RATE, headers=cookie) as known,
            Load(server.port, connections=4, rate=UNKNOWN_RATE) as unknown,
        ):
            time.sleep(AROUND_SECONDS)
            with closing(open_database(accounts)) as database, database.write() as connection:
                connection.execute(SEEN_LONG_AGO)
            with outage():
                time.sleep(seconds)
            time.sleep(AROUND_SECONDS)
    acknowledged = known.toll.acknowledged + unknown.toll.acknowledged
    reckoning = reckon(acknowledged, journal)
    return Passed(
        known=known.toll,
        unknown=unknown.toll,
        reckoning=reckoning,
        known_may_fail=known_may_fail,
    )
