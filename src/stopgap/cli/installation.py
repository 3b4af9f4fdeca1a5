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
    """Have a signal that ends this command end all that its models have started, too.

    A terminal that is closed sends SIGHUP, which `nohup` has ignored.
    """
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    heeded = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, lambda number, _: end_at_once(number))
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


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
