"""What of a set-up lies in databases, or waits for them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from stopgap.cli.diagnosis.diagnosis import Diagnosis, Weight, fine, warning, wrong
from stopgap.cli.diagnosis.folders import lockable, writable
from stopgap.cli.diagnosis.releases import releases
from stopgap.clock import Clock
from stopgap.journal.backlog import backlog, damaged, unreadable
from stopgap.journal.drain import LOCK
from stopgap.journal.effort import URGENT_BYTES
from stopgap.journal.journal import Journal
from stopgap.journal.store import tables
from stopgap.settings import Settings
from stopgap.storage import columns
from stopgap.storage.database import Database, open_database
from stopgap.storage.history import JOURNAL, MAIN, History, check_rights, version_of
from stopgap.wiring import Locations

HEADER_BYTES = 100
"""Of a SQLite file's header (SQLite's file format, section 1.3)."""


def database(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """See whether it answers, is ours, and may be written; then whether its releases can answer."""
    answering = partial(releases, settings, clock)
    at = Locations.of(settings)
    yield from _left_behind(settings, at.database)
    yield from _kept_at(at.database, MAIN, "DATABASE_URL", settings.data, answering)


def _left_behind(settings: Settings, url: str) -> Iterator[Diagnosis]:
    """See whether somebody may take the demo's accounts for those of a new database."""
    own = Locations.of(replace(settings, database_url=None)).database
    path = Path(own.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:") and path.exists():
        told = f"What is in {path} is not in the database that the settings name, and is not moved."
        yield warning(told, f"To keep it, set DATABASE_URL={own}; otherwise move that file away.")


def journal(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """See whether it is there, and what waits for it or could not be moved."""
    at = Locations.of(settings)
    folder = at.spool
    waiting = backlog(folder).bytes  # as long as the database has not been asked

    def more(database: Database) -> Iterator[Diagnosis]:
        nonlocal waiting
        kept = Journal(database, clock, spool=folder)
        waiting = kept.waiting()
        if found := kept.silence(settings.journal_days):
            days = found.length.days
            told = f"Nothing was recorded for {days} days; what was before is soon deleted."
            yield warning(told, f"See that the clock is right: {clock.now():%Y-%m-%d %H:%M} UTC.")

    yield from _kept_at(at.journal, JOURNAL, "STOPGAP_JOURNAL_URL", settings.data, more)
    place = writable(folder, "STOPGAP_DATA")
    if place.weight is not Weight.FINE:
        yield place
    elif not lockable(folder):
        told = (
            f"The volume of {folder} has no file locks (flock), so no answer can be put on record."
        )
        yield wrong(told, "Name a folder on another volume in STOPGAP_DATA.")
    lock = folder / LOCK
    if os.path.lexists(lock) and not (lock.is_file() and os.access(lock, os.W_OK)):
        yield wrong(f"{lock} cannot be written by this user.", f"Delete it, or chown it: {lock}")
    yield from _segments(folder, waiting)


def _segments(folder: Path, waiting: int) -> Iterator[Diagnosis]:
    """Tell what waits for the journal, and what of it cannot come there."""
    if shut := unreadable(folder):
        told = f"{len(shut)} segments of {folder} cannot be read and deleted: {_named(shut)}."
        yield wrong(told, "chown them to the server's user; what is no file, move away.")
    if kept := damaged(folder):
        told = f"{len(kept)} segments of {folder} could not be moved whole: {_named(kept)}."
        yield warning(told, "Renamed to end in .spool, one is tried again; delete what is known.")
    told = f"{waiting:,} bytes wait in {folder} for the journal."
    if waiting > URGENT_BYTES:
        yield warning(told, "Start the server, and see why its log says that they wait.")
    else:
        yield fine(told)


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths[:3])


TABLES = {MAIN: columns.metadata.tables, JOURNAL: tables.metadata.tables}
"""What each history has made, which the server reads and writes."""


def _kept_at(
    url: str,
    history: History,
    setting: str,
    data: Path,
    more: Callable[[Database], Iterator[Diagnosis]],
) -> Iterator[Diagnosis]:
    """Tell of a database whether it has our tables, and then more; nothing is made.

    Args:
        data: The data folder, which the server makes; it makes no other.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        if not path.exists() or not path.stat().st_size:
            if not path.parent.is_dir() and path.parent.absolute() != data.absolute():
                yield wrong(f"{path.parent} is no folder.", f"Make it, or correct {setting}.")
                return
            made = writable(path.parent, setting)
            new = fine(f"{path} will be made at the first start.")
            yield made if made.weight is Weight.WRONG else new
            return
        if not _is_sqlite(path):
            yield wrong(f"{path} is no SQLite database.", f"Name another file in {setting}.")
            return
    with closing(open_database(url)) as database:
        with database.read() as connection:
            version = version_of(connection, database.name, history)
        if database.engine.dialect.name == "postgresql":
            with database.write() as connection:  # which a standby refuses at once
                check_rights(
                    connection, database.name, TABLES[history], current=version == history.head
                )
        yield _schema(database, version, history)
        if history is MAIN and not database.is_sound():  # a journal may be too large for that
            yield wrong(f"The {database.name} is damaged.", "Restore a backup.")
        if version == history.head:
            yield from more(database)


def _is_sqlite(path: Path) -> bool:
    """Look at the header, where it can be read."""
    if not os.access(path, os.R_OK):
        return True  # opening it will tell
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    return len(header) == HEADER_BYTES and header.startswith(b"SQLite format 3\0")


def _schema(database: Database, version: str, history: History) -> Diagnosis:
    if version == history.head:
        return fine(f"The {database.name} answers, and is of version {history.head}.")
    of = f"of version {version}" if version else "empty"
    return fine(f"The {database.name} is {of}; the next start brings it to {history.head}.")
