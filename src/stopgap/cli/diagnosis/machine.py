"""What a set-up needs of the machine itself."""

from collections.abc import Iterator

from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning, wrong
from stopgap.cli.serving.open_files import LOW, allowed_open_files
from stopgap.clock import Clock
from stopgap.settings import Settings

CLOCK_MIN = 2026
"""Year in which this was written; an earlier one is a clock that was never set."""


def clock(_settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """See whether it has been set."""
    now = clock.now()
    told = f"It is {now:%Y-%m-%d %H:%M} UTC."
    if now.year < CLOCK_MIN:
        yield wrong(told, "Set this machine's clock; sessions and images end by it.")
    else:
        yield fine(told)


def open_files(_settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether there can be enough connections."""
    allowed = allowed_open_files()
    told = f"A process may have {allowed:,} files open; each connection is one."
    if allowed < LOW:
        yield warning(told, f"Raise the hard limit (`ulimit -Hn`) to {LOW:,} or more.")
    else:
        yield fine(told)
