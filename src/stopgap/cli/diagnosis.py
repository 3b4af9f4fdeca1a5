"""What is wrong with a set-up, found without changing anything of it."""

import ipaddress
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from stopgap import __version__
from stopgap.accounts.counts import open_counts, place_of
from stopgap.accounts.shared_counts import CountsUnreachable, SharedCounts
from stopgap.cli.open_files import LOW, allowed_open_files
from stopgap.cli.serve import PortTaken, free_address
from stopgap.clock import Clock
from stopgap.contracts.loading import load_contracts
from stopgap.errors import StopgapError
from stopgap.journal.backlog import backlog, damaged
from stopgap.journal.drain import LOCK
from stopgap.journal.effort import URGENT_BYTES
from stopgap.journal.journal import Journal
from stopgap.settings import SECRET_MIN, Settings
from stopgap.storage.database import Database, open_database
from stopgap.storage.history import JOURNAL, MAIN, History, check_rights, version_of
from stopgap.storage.object_stores import folder_of, open_objects
from stopgap.storage.objects import check
from stopgap.telemetry.collecting import CollectorUnreachable
from stopgap.telemetry.collectors import open_collector
from stopgap.wiring.installation import Locations

MEGABYTE = 1_000_000
DISK_LOW, DISK_FULL = 1_000 * MEGABYTE, 50 * MEGABYTE
"""Free bytes below which one should look, and below which uploads and sign-ins soon fail."""

CLOCK_MIN = 2026
"""Year in which this was written; an earlier one is a clock that was never set."""

FOR_OWNER = stat.S_IRWXG | stat.S_IRWXO
"""Permissions that only their owner should have; these are the others'."""


class Weight(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str = ""  # the look's name, which `examine` adds
    weight: Weight
    told: str
    fix: str | None = None


def examine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Look at everything that the server needs; nothing is changed, and nothing is made."""
    for look in LOOKS:
        what = look.__name__.removeprefix("_").replace("_", " ")
        try:
            yield from (replace(finding, what=what) for finding in look(settings, clock))
        except StopgapError as error:
            yield Finding(what=what, weight=Weight.WRONG, told=error.detail, fix=FIXES.get(what))
        except OSError as error:  # most likely a folder that this user may not look into
            told = f"{error.filename}: {error.strerror}."
            yield Finding(what=what, weight=Weight.WRONG, told=told, fix="Let this user read it.")


def _fine(told: str) -> Finding:
    return Finding(weight=Weight.FINE, told=told)


def _warning(told: str, fix: str) -> Finding:
    return Finding(weight=Weight.WARNING, told=told, fix=fix)


def _wrong(told: str, fix: str) -> Finding:
    return Finding(weight=Weight.WRONG, told=told, fix=fix)


def _contracts(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    names = ", ".join(contract.name for contract in load_contracts(settings.contracts))
    yield _fine(f"{names} can be served.")


def _data_folder(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    folder = settings.data
    yield _writable(folder, "STOPGAP_DATA")
    if folder.is_dir() and folder.stat().st_mode & FOR_OWNER:
        yield _warning(f"{folder} is open to others on this machine.", f"chmod 700 {folder}")


def _writable(folder: Path, setting: str) -> Finding:
    """Tell whether a folder can be written, or made where it is not there yet."""
    another = f"Let this user write there, or name another folder in {setting}."
    there = _nearest(folder)
    if not there.is_dir():
        return _wrong(f"{there} is no folder.", f"Name another in {setting}.")
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return _wrong(f"{there} cannot be written by this user.", another)
    if there == folder:
        return _fine(f"{folder} can be written.")
    return _fine(f"{folder} will be made at the first start.")


def _nearest(path: Path) -> Path:
    """Find the path itself, or the nearest folder above it that is there."""
    full = path.absolute()
    return path if os.path.lexists(path) else next(p for p in full.parents if os.path.lexists(p))


def _secret(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    path = Locations.of(settings).secret
    if settings.secret is not None:
        yield _fine("STOPGAP_SECRET is set.")
    elif not path.exists():
        yield _fine(f"{path} will be made at the first start.")
    elif not os.access(path, os.R_OK):
        yield _wrong(f"{path} cannot be read by this user.", f"Let this user own it: chown {path}")
    elif len(path.read_bytes().strip()) < SECRET_MIN:
        yield _wrong(
            f"{path} is too short.", "Delete it; a new one ends all sessions and API keys."
        )
    elif path.stat().st_mode & FOR_OWNER:
        yield _wrong(f"{path} can be read by others on this machine.", f"chmod 600 {path}")
    else:
        yield _fine(f"{path} is for this user alone.")


def _database(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    yield from _kept_at(Locations.of(settings).database, MAIN, "DATABASE_URL")


def _journal(settings: Settings, clock: Clock) -> Iterator[Finding]:
    def silence(database: Database) -> Iterator[Finding]:
        if found := Journal(database, clock).silence(settings.journal_days):
            told = f"Nothing was recorded for {found.days} days; what was before is soon deleted."
            yield _warning(told, f"See that the clock is right: {clock.now():%Y-%m-%d %H:%M} UTC.")

    at = Locations.of(settings)
    yield from _kept_at(at.journal, JOURNAL, "STOPGAP_JOURNAL_URL", silence)
    folder = at.spool
    lock = folder / LOCK
    if os.path.lexists(lock) and not (lock.is_file() and os.access(lock, os.W_OK)):
        yield _wrong(f"{lock} cannot be written by this user.", f"Delete it, or chown it: {lock}")
    if kept := damaged(folder):
        named = ", ".join(path.name for path in kept[:3])
        told = f"{len(kept)} segments of {folder} could not be moved whole: {named}."
        yield _warning(told, "Renamed to end in .spool, one is tried again; delete what is known.")
    waiting = backlog(folder).bytes
    told = f"{waiting:,} bytes wait in {folder} for the journal."
    if waiting > URGENT_BYTES:
        yield _warning(told, "Start the server, and see why its log says that they wait.")
    else:
        yield _fine(told)


def _kept_at(
    url: str,
    history: History,
    setting: str,
    more: Callable[[Database], Iterator[Finding]] = lambda _: iter(()),
) -> Iterator[Finding]:
    """Tell of a database whether it has our tables, and then more; nothing is made."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        if not path.exists() or not path.stat().st_size:
            made = _writable(path.parent, setting)
            new = _fine(f"{path} will be made at the first start.")
            yield made if made.weight is Weight.WRONG else new
            return
        if not _is_sqlite(path):
            yield _wrong(f"{path} is no SQLite database.", f"Name another file in {setting}.")
            return
    with closing(open_database(url)) as database:
        with database.read() as connection:
            version = version_of(connection, database.name, history)
        if database.engine.dialect.name == "postgresql":
            with database.write() as connection:  # which a standby refuses at once
                check_rights(connection, database.name, current=version == history.head)
        yield _schema(database, version, history)
        if version == history.head:
            yield from more(database)


def _is_sqlite(path: Path) -> bool:
    """Look at the first bytes (SQLite's file format, section 1.3), where they can be read."""
    if not os.access(path, os.R_OK):
        return True  # opening it will tell
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _schema(database: Database, version: str, history: History) -> Finding:
    if version == history.head:
        return _fine(f"The {database.name} answers, and is of version {history.head}.")
    of = f"of version {version}" if version else "empty"
    return _fine(f"The {database.name} is {of}; the next start brings it to {history.head}.")


def _limits(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    counts, place = open_counts(settings.limits, b""), place_of(settings.limits)
    if not isinstance(counts, SharedCounts):
        yield _fine("Each worker counts failed sign-ins by itself.")
        return
    try:
        counts.ping()
    except CountsUnreachable as error:
        told = f"Counts are not shared at {place}, each worker has its own: {error}"
        yield _warning(told, "Start it, or correct STOPGAP_LIMITS.")
    else:
        yield _fine(f"Failed sign-ins are counted at {place}.")


def _traces(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    if settings.traces is None:
        return
    try:
        open_collector(settings.traces, __version__).take([])
    except CollectorUnreachable as error:
        told = f"Traces are not taken where STOPGAP_TRACES says: {error}"
        yield _warning(told, "Start the collector, or correct STOPGAP_TRACES.")
    else:
        yield _fine(f"Traces are taken, of {settings.trace_percent} % of the requests.")


def _images(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    place = Locations.of(settings).objects
    folder = folder_of(place)
    if folder is not None:
        yield _writable(folder, "STOPGAP_OBJECTS")
    else:
        check(open_objects(place))
        yield _fine(f"{place} can be written and read.")


def _port(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    try:
        free_address(settings.host, settings.port)
    except PortTaken as error:
        told = f"Something listens on port {settings.port} of {settings.host}."
        yield _warning(told, f"If that is not this server: {error.detail}")
    else:
        yield _fine(f"Port {settings.port} on {settings.host} is free.")


def _source_link(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    if settings.source_url is None:
        fix = "Set STOPGAP_SOURCE_URL to the repository's address."
        yield _warning("The pages do not link to their source code.", fix)
    else:
        yield _fine(f"The pages link to {settings.source_url}.")


def _who_may_sign_in(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    let_in = {"guests": settings.guests, "the demo account": settings.demo_account}
    named = " and ".join(name for name, is_let_in in let_in.items() if is_let_in)
    if not named:
        yield _fine("Only accounts of this server can sign in.")
    elif _is_public(settings.host):
        told = f"Whoever reaches {settings.host} can sign in: {named} may."
        fix = "Fine for a demo; else set STOPGAP_PROFILE=production."
        yield _warning(told, fix)
    else:
        yield _fine(f"On this machine alone, {named} may sign in.")


def _is_public(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _proxies(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        told = "Every address is trusted as a proxy, so anybody can claim to be anybody."
        yield _warning(told, "Name your proxies' own networks in STOPGAP_TRUSTED_PROXIES.")
    elif settings.trusted_proxies:
        named = ", ".join(str(network) for network in settings.trusted_proxies)
        yield _fine(f"Proxies are believed at {named}.")
    elif _is_public(settings.host):
        told = "No proxy is trusted; behind one, all clients seem to have its address."
        yield _warning(told, "If there is one, name its network in STOPGAP_TRUSTED_PROXIES.")
    else:
        yield _fine("No proxy is trusted, and none is needed.")


def _clock(_settings: Settings, clock: Clock) -> Iterator[Finding]:
    now = clock.now()
    told = f"It is {now:%Y-%m-%d %H:%M} UTC."
    if now.year < CLOCK_MIN:
        yield _wrong(told, "Set this machine's clock; sessions and images end by it.")
    else:
        yield _fine(told)


def _disk(settings: Settings, _clock: Clock) -> Iterator[Finding]:
    free = shutil.disk_usage(_nearest(settings.data)).free
    told = f"{free // MEGABYTE:,} MB are free for {settings.data}."
    fix = "Free some space, or name a folder on another disk in STOPGAP_DATA."
    if free < DISK_FULL:
        yield _wrong(told, fix)
    elif free < DISK_LOW:
        yield _warning(told, fix)
    else:
        yield _fine(told)


def _open_files(_settings: Settings, _clock: Clock) -> Iterator[Finding]:
    allowed = allowed_open_files()
    told = f"A process may have {allowed:,} files open; each connection is one."
    if allowed < LOW:
        yield _warning(told, f"Raise the hard limit (`ulimit -Hn`) to {LOW:,} or more.")
    else:
        yield _fine(told)


LOOKS: tuple[Callable[[Settings, Clock], Iterator[Finding]], ...] = (
    _contracts,
    _data_folder,
    _secret,
    _database,
    _journal,
    _limits,
    _traces,
    _images,
    _port,
    _source_link,
    _who_may_sign_in,
    _proxies,
    _clock,
    _disk,
    _open_files,
)
"""Every look, in its order; its name is what people read."""

FIXES = {
    "contracts": "Correct STOPGAP_CONTRACTS.",
    "database": "Start it, let its user write there, or correct DATABASE_URL.",
    "journal": "Start it, let its user write there, or correct STOPGAP_JOURNAL_URL.",
    "limits": "Correct STOPGAP_LIMITS.",
    "images": "Correct STOPGAP_OBJECTS.",
    "port": "Correct STOPGAP_HOST and STOPGAP_PORT.",
}
"""What to do where a look itself was refused."""
