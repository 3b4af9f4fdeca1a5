"""What a set-up needs of the machine itself."""

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime

from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning, wrong
from stopgap.cli.serving.open_files import LOW, allowed_open_files
from stopgap.clock import Clock
from stopgap.errors import StopgapError
from stopgap.settings import Settings
from stopgap.storage.database import open_database
from stopgap.wiring import Locations

CLOCK_MIN = 2026
"""Year in which this was written; an earlier one is a clock that was never set."""


def clock(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """See whether it has been set, and is that of the databases."""
    now = clock.now()
    told = f"It is {now:%Y-%m-%d %H:%M} UTC."
    others = _other_times(settings, clock)
    if others:
        told = f"{told[:-1]} here, and {others[0]:%Y-%m-%d %H:%M} in the database."
    if others or now.year < CLOCK_MIN:
        yield wrong(told, "Set this machine's clock; sessions and images end by it.")
    else:
        yield fine(told)


def _other_times(settings: Settings, clock: Clock) -> list[datetime]:
    """Tell what time it is by the databases that have another; of one that is away others tell."""
    at, others = Locations.of(settings), []
    for url in {at.database, at.journal}:
        with suppress(StopgapError), closing(open_database(url)) as database:
            if other := database.other_time(clock):
                others.append(other)
    return others


def open_files(_settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether there can be enough connections."""
    allowed = allowed_open_files()
    told = f"A process may have {allowed:,} files open; each connection is one."
    if allowed < LOW:
        yield warning(told, f"Raise the hard limit (`ulimit -Hn`) to {LOW:,} or more.")
    else:
        yield fine(told)
