"""What of a set-up lies in folders: the data, the secret, uploaded images, and room for them."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning, wrong
from stopgap.clock import Clock
from stopgap.journal.segment import claim
from stopgap.settings import SECRET_MIN, Settings
from stopgap.storage.object_stores import folder_of, open_objects
from stopgap.storage.objects import check
from stopgap.telemetry.shards import unusable
from stopgap.wiring import Locations

MEGABYTE = 1_000_000
DISK_LOW, DISK_FULL = 1_000 * MEGABYTE, 50 * MEGABYTE
"""Free bytes below which one should look, and below which uploads and sign-ins soon fail."""

FILES_LOW, FILES_FULL = 10_000, 100
"""The same for files that a disk still takes: its inodes."""

FOR_OWNER = stat.S_IRWXG | stat.S_IRWXO
"""Permissions that only their owner should have; these are the others'."""


def data_folder(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether it can be written, and is for this user alone."""
    folder = settings.data
    yield writable(folder, "STOPGAP_DATA")
    if folder.is_dir() and folder.stat().st_mode & FOR_OWNER:
        yield warning(f"{folder} is open to others on this machine.", f"chmod 700 {folder}")
    metrics = Locations.of(settings).metrics
    if shut := unusable(metrics):
        told = f"{len(shut)} files of {metrics} cannot be read and written by this user, so what"
        yield warning(f"{told} is counted there is left out.", f"chown -R or delete {metrics}")


def secret(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether it is there, whole, and for this user alone."""
    path = Locations.of(settings).secret
    if settings.secret is not None:
        yield fine("STOPGAP_SECRET is set.")
    elif not path.exists():
        yield fine(f"{path} will be made at the first start.")
    elif not os.access(path, os.R_OK):
        yield wrong(f"{path} cannot be read by this user.", f"Let this user own it: chown {path}")
    elif len(path.read_bytes().strip()) < SECRET_MIN:
        yield wrong(f"{path} is too short.", "Delete it; a new one ends all sessions and API keys.")
    elif path.stat().st_mode & FOR_OWNER:
        yield wrong(f"{path} can be read by others on this machine.", f"chmod 600 {path}")
    else:
        yield fine(f"{path} is for this user alone.")


def images(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether they can be kept where they are to be, and find room there."""
    place = Locations.of(settings).objects
    folder = folder_of(place)
    if folder is not None:
        yield writable(folder, "STOPGAP_OBJECTS")
        if settings.objects is not None:
            yield room(folder, "STOPGAP_OBJECTS")
    else:
        check(open_objects(place))
        yield fine(f"{place} can be written and read.")


def disk(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether there is room."""
    yield room(settings.data, "STOPGAP_DATA")


def temporary_files(_settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether there is room for them: large bodies wait there until they are whole."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        told = "No folder takes temporary files, so no image of more than 64 KiB can be uploaded."
        yield wrong(told, "Name one in TMPDIR, on a disk or in memory.")
    else:
        yield room(folder, "TMPDIR")


def room(folder: Path, setting: str) -> Diagnosis:
    """Tell whether a folder's disk takes more, in bytes and in files; not all limit the latter."""
    there = os.statvfs(nearest(folder))
    free, limited = there.f_bavail * there.f_frsize, there.f_files > 0
    files = f" and {there.f_favail:,} files" if limited else ""
    told = f"There is room for {free // MEGABYTE:,} MB{files} in {folder}."
    fix = f"Free some space, or name a folder on another disk in {setting}."
    if free < DISK_FULL or (limited and there.f_favail < FILES_FULL):
        return wrong(told, fix)
    if free < DISK_LOW or (limited and there.f_favail < FILES_LOW):
        return warning(told, fix)
    return fine(told)


def writable(folder: Path, setting: str) -> Diagnosis:
    """Tell whether a folder can be written, or made where it is not there yet."""
    another = f"Let this user write there, or name another folder in {setting}."
    there = nearest(folder)
    if not there.is_dir():
        return wrong(f"{there} is no folder.", f"Name another in {setting}.")
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return wrong(f"{there} cannot be written by this user.", another)
    if there == folder:
        return fine(f"{folder} can be written.")
    return fine(f"{folder} will be made at the first start.")


def lockable(folder: Path) -> bool:
    """Tell whether files can be locked on a folder's volume, if it can be written at all."""
    with suppress(OSError), tempfile.TemporaryFile(dir=nearest(folder)) as file:
        try:
            claim(file.fileno())
        except OSError:
            return False
    return True


def nearest(path: Path) -> Path:
    """Find the path itself, or the nearest folder above it that is there."""
    full = path.absolute()
    return path if os.path.lexists(path) else next(p for p in full.parents if os.path.lexists(p))
