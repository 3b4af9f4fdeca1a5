"""The drainer's keeper, where there is no room for a drainer."""

import threading
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from stopgap.cli.serving import drainer
from stopgap.cli.serving.drainer import DrainerKeeper
from stopgap.journal.spool import Fsync
from stopgap.settings import Settings
from stopgap.wiring import Installation


class Born:
    """A process that ends well when it is told to, or for which there is no room."""

    exitcode = 0

    def __init__(self, *, hindered: bool) -> None:
        self._hindered = hindered
        self._over = threading.Event()
        self.started = threading.Event()

    def start(self) -> None:
        """Begin, or find no room."""
        if self._hindered:
            raise BlockingIOError("no room")
        self.started.set()

    def join(self) -> None:
        """Wait for the end."""
        assert self._over.wait(10)

    def is_alive(self) -> bool:
        """Tell that it is there."""
        return self.started.is_set()

    def terminate(self) -> None:
        """End."""
        self._over.set()

    def kill(self) -> None:
        """End at once; a process that was never started cannot."""
        assert self.started.is_set()
        self._over.set()


def keeper_of(births: Iterable[Born], monkeypatch: pytest.MonkeyPatch) -> DrainerKeeper:
    """Make a keeper whose drainers are these."""
    drainers: Iterator[Born] = iter(births)
    monkeypatch.setattr(DrainerKeeper, "_spawn", lambda _: next(drainers))
    monkeypatch.setattr(drainer, "PAUSE_SECONDS", 0.01)
    return DrainerKeeper(Installation(settings=Settings(data=Path("nowhere")), secret=b""))


def test_a_drainer_that_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there was no room for another process, it is tried again."""
    hindered, born = Born(hindered=True), Born(hindered=False)
    keeper = keeper_of([hindered, hindered, born], monkeypatch)
    keeper.start()
    assert born.started.wait(10)
    keeper.stop()
    assert caplog.text.count("cannot be started") == 2


def test_a_drainer_that_never_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there never was room, the server ends all the same."""
    tried = threading.Event()

    def births() -> Iterator[Born]:
        yield Born(hindered=True)
        tried.set()
        yield from repeat(Born(hindered=True))

    keeper = keeper_of(births(), monkeypatch)
    keeper.start()
    assert tried.wait(10)
    keeper.stop()
    assert "cannot be started" in caplog.text


class Dead(Born):
    """A process that dies when it is told to end."""

    exitcode = -9


def test_a_drainer_that_died_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last one has died, another moves what is left before the server ends."""
    dead, last = Dead(hindered=False), Born(hindered=False)
    keeper = keeper_of([dead, last], monkeypatch)
    keeper.start()
    assert dead.started.wait(10)
    keeper.stop()
    assert last.started.is_set()


class Stubborn(Born):
    """A process that a locked database holds, whatever it is told."""

    def terminate(self) -> None:
        """Go on."""


def test_a_drainer_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's end does not wait for ever: who does not end in time is killed."""
    held = Stubborn(hindered=False)
    monkeypatch.setattr(drainer, "DRAIN_SECONDS", 0.05)
    keeper = keeper_of([held], monkeypatch)
    keeper.start()
    assert held.started.wait(10)
    ending = threading.Thread(target=keeper.stop, daemon=True)
    ending.start()
    ending.join(5)
    assert not ending.is_alive()


@pytest.mark.parametrize(("fsync", "durable"), [("off", False), ("always", True)])
def test_how_durable_it_is(fsync: Fsync, *, durable: bool) -> None:
    """Where records outlive the machine, the drainer has them on the disk before it deletes any."""
    settings = Settings(data=Path("nowhere"), journal_fsync=fsync)
    process = DrainerKeeper(Installation(settings=settings, secret=b""))._spawn()
    assert process._kwargs["durable"] is durable  # type: ignore[attr-defined]  # the library's own
