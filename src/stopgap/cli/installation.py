"""The installation that a command works on: the settings of its environment, opened and closed."""

from collections.abc import Iterator
from contextlib import contextmanager

from stopgap import wiring
from stopgap.web.parts import Parts


@contextmanager
def opened() -> Iterator[Parts]:
    """Open what the server would serve from; a fresh installation is made ready first."""
    parts = wiring.build_parts(wiring.prepare(wiring.settings_of_environment()))
    try:
        yield parts
    finally:
        parts.close()
