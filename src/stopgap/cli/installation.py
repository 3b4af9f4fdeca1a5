"""The installation that a command works on: the settings of its environment, opened and closed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from stopgap import wiring
from stopgap.models.process import end_at_once
from stopgap.parts import Parts


@contextmanager
def opened() -> Iterator[Parts]:
    """Open what the server would serve from; a fresh installation is made ready first, and named.

    Whoever only wanted to look is in another folder than the server, then.
    """
    settings = wiring.settings_of_environment()
    is_new = not os.path.lexists(settings.data)  # nor can it be looked up, which prepare tells
    parts = wiring.build_parts(wiring.prepare(settings, with_objects=False))
    if is_new:
        click.echo(f"There was no data folder yet: {settings.data.absolute()} is new.", err=True)
    try:
        yield parts
    finally:
        parts.close()


@contextmanager
def models_ended() -> Iterator[None]:
    """Have SIGTERM end this command together with all that its models have started."""
    before = signal.signal(signal.SIGTERM, lambda *_: end_at_once())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def opened_to_look_back(seconds: float = 2.0) -> Iterator[Parts]:
    """Open it when the answers given until now are in the journal; say so if some are not in time.

    Args:
        seconds: Of waiting for them.
    """
    with opened() as parts:
        if waiting := parts.journal.catch_up(seconds):
            told = f"{waiting:,} bytes of answers still wait for the journal, and are not in this."
            click.echo(told, err=True)
        yield parts
