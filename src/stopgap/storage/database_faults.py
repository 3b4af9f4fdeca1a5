"""Faults of a database: what its driver says, in our words, and without anybody's secrets."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, exc

from stopgap.errors import StartRefused, StopgapError


class DatabaseUnknown(StartRefused):
    """The database's URL names no kind of database that this server speaks."""

    def __init__(self, scheme: str) -> None:
        super().__init__(
            f"The database URL begins with {scheme or 'no scheme'}; it must be sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST/NAME (postgres:// is read too)."
        )


class DatabaseUnreachable(StopgapError):
    """The database does not answer, or cannot be read and written."""

    retry_after = 5.0
    for_strangers = "The server cannot reach its database now; try again in a moment."

    def __init__(self, database: str, reason: str) -> None:
        super().__init__(f"The {database} cannot be used: {reason}.")


class DatabaseFull(StopgapError):
    """The database's disk is full; nothing of this request has been kept."""

    retry_after = 60.0
    for_strangers = "The server has no room left to keep this; nothing of it was kept. Try later."

    def __init__(self, database: str) -> None:
        super().__init__(f"The disk of the {database} is full; free some space and try again.")


AWAY = (DatabaseUnreachable, DatabaseFull)
"""What nobody but the database can mend, and time may."""


FULL = ("SQLITE_FULL", "53100")
"""How SQLite and PostgreSQL (disk_full) say that the disk is full."""

CLOSED = ("0A000", "3F000", "42501", "42P01", "42P10")
"""How PostgreSQL says that it is there, but not for this: a standby as a transaction for writing
begins (feature_not_supported), any as its user has no schema (invalid_schema_name) or no right
(insufficient_privilege), and one that a dump is being restored into, as a table (undefined_table)
or its unique constraint is not there yet (invalid_column_reference)."""

LATE = ("25P03", "25P04")
"""How it says that a transaction took too long (idle_in_transaction_session_timeout,
transaction_timeout), which psycopg takes for an internal fault."""

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
"""How SQLite's words begin for a file that has been written over, or cut short."""

FULL_BYTES = 65_536
"""With fewer free, SQLite may say `disk I/O error`: its -shm grows by 32 KiB."""

SECRETS = ("password", "passfile", "sslpassword", "scram_client_key", "oauth_client_secret")
"""Options of a URL that nobody else is to read, besides the password in its own place."""


@contextmanager
def translated(database: str, url: URL) -> Iterator[None]:
    """Say the driver's errors that are nobody's mistake in words of our own.

    Args:
        database: Which one it is, for people.
        url: Where it is.

    Raises:
        DatabaseFull: its disk is full.
        DatabaseUnreachable: it does not answer, or not for this, or is damaged.
    """
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError) as error:
        if _is_full(error, url):
            raise DatabaseFull(database) from error
        raise DatabaseUnreachable(database, reason_of(error, url)) from error
    except exc.DBAPIError as error:
        if _code(error).startswith(DAMAGED):
            raise DatabaseUnreachable(database, "it is damaged; restore a backup") from error
        if _code(error) not in CLOSED + LATE and not error.connection_invalidated:
            _leave_out_values(error)
            raise
        raise DatabaseUnreachable(database, reason_of(error, url)) from error
    except exc.TimeoutError as error:
        raise DatabaseUnreachable(database, "all its connections are in use") from error


def _leave_out_values(error: exc.DBAPIError) -> None:
    """Keep a driver's first words alone: PostgreSQL tells a refused row's values in the next."""
    for told in (error, error.orig):
        if told is not None and told.args:
            told.args = (str(told.args[0]).partition("\n")[0],)


def _code(error: exc.DBAPIError) -> str:
    """Tell the driver's own code of an error."""
    names = ("sqlite_errorname", "sqlstate")
    return next((code for name in names if (code := getattr(error.orig, name, None))), "")


def _is_full(error: exc.DBAPIError, url: URL) -> bool:
    """Tell whether it is the disk that has no room."""
    code = _code(error)
    if not code.startswith("SQLITE_IOERR"):
        return code in FULL
    return shutil.disk_usage(Path(url.database or "").absolute().parent).free < FULL_BYTES


def reason_of(error: exc.DBAPIError, url: URL) -> str:
    """Tell the driver's own first words, without the passwords should they hold one."""
    words = str(error.orig).strip().splitlines() or ["it gave no reason"]
    secrets = [str(url.password or ""), *(str(url.query.get(key) or "") for key in SECRETS)]
    for secret in filter(None, secrets):
        words[0] = words[0].replace(secret, "***")
    return words[0].rstrip(".")
