"""Killing: parts of a server under load die at random moments, and everything is counted."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tests.acceptance.load import Load, Toll
from tests.acceptance.processes import (
    answering,
    children,
    drainers,
    is_running,
    kill,
    wait_for,
    workers,
)
from tests.acceptance.reckoning import Reckoning, reckon
from tests.acceptance.server import ML_SERVER, Server

from stopgap.journal.backlog import backlog
from stopgap.journal.segment import segments

WORKERS = 2
CONNECTIONS = 6
WHOLE_SECONDS = 5
"""After a worker's death the server is whole."""

ORPHAN_SECONDS = 2
"""After its supervisor's death a worker has ended, and the port is free."""

DRAINED_SECONDS = 60
"""After a restart the spool is empty; on a busy machine the drainer comes last."""

SPACE_SECONDS = 0.8
"""The longest pause between two deaths, when they are spaced."""

HASTE_SECONDS = 0.4
"""The longest pause when they come back to back, whatever state the server is in."""


@dataclass(frozen=True, kw_only=True)
class Victim:
    """Who is killed: from the supervisor's process id to those that die together."""

    name: str
    choose: Callable[[int], list[int]]
    ends_all: bool = False  # then the server is started anew


def one_worker(supervisor: int) -> list[int]:
    """Choose a worker, whichever."""
    return random.sample(workers(supervisor)[:WORKERS], 1) if workers(supervisor) else []


def everybody(supervisor: int) -> list[int]:
    """Choose the supervisor first, so that it replaces none of the others."""
    return [supervisor, *children(supervisor)]


VICTIMS = (
    Victim(name="one worker", choose=one_worker),
    Victim(name="all workers", choose=workers),
    Victim(name="the drainer", choose=drainers),
    Victim(name="the supervisor", choose=lambda supervisor: [supervisor], ends_all=True),
    Victim(name="everybody", choose=everybody, ends_all=True),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it all."""

    kills: int  # processes
    whole_after: float  # seconds from a death, at most, until all is as before
    toll: Toll
    reckoning: Reckoning

    @property
    def faults(self) -> list[str]:
        """What does not hold: all acknowledged is there once, and every death heals."""
        found = self.reckoning.faults(broken=self.toll.broken)
        if self.toll.refused:
            found.append(f"refused with {dict(self.toll.refused)}")
        if self.whole_after > WHOLE_SECONDS:
            found.append(f"whole after {self.whole_after:.1f} s only")
        return found


class Patient:
    """A server that is killed, in part or as a whole, and watched until it is well again."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = {"STOPGAP_WORKERS": str(WORKERS)} | dict(settings)
        self._lives = 0
        self.server = self._start("0")
        self.whole_after = 0.0
        self.kills = 0

    def _start(self, port: str) -> Server:
        self._lives += 1
        data = {"STOPGAP_DATA": str(self._folder / "data")}
        folder = self._folder / f"life-{self._lives}"
        server = Server(folder, ML_SERVER, data | self._settings | {"PORT": port})
        server.data = self._folder / "data"
        server.wait_until_up()
        return server

    @property
    def is_whole(self) -> bool:
        """Whether all that should run runs, and every worker answers."""
        supervisor = self.server.process.pid
        serving = set(workers(supervisor))
        if len(serving) != WORKERS or len(drainers(supervisor)) != 1:
            return False
        try:
            return answering(self.server.port, serving) == serving
        except (OSError, HTTPException):
            return False

    def recover(self) -> None:
        """Wait until the server is whole, and remember how long that took."""
        took = wait_for(lambda: self.is_whole, WHOLE_SECONDS, "the server is whole")
        self.whole_after = max(self.whole_after, took)

    def strike(self, victim: Victim) -> None:
        """Kill; a server that has lost its head is started anew on its port."""
        supervisor = self.server.process.pid
        serving = workers(supervisor)
        wait_for(lambda: victim.choose(supervisor), WHOLE_SECONDS, f"there is {victim.name}")
        chosen = victim.choose(supervisor)
        kill(*chosen)
        self.kills += len(chosen)
        wait_for(lambda: not any(map(is_running, chosen)), 1, "who was killed is dead")
        if victim.ends_all:
            self.server.process.wait()
            wait_for(lambda: not any(map(is_running, serving)), ORPHAN_SECONDS, "orphans end")
            self.server = self._start(str(self.server.port))

    def end(self) -> None:
        """Stop the server, which drains; or kill what is left of it."""
        process = self.server.process
        try:
            if process.poll() is None:
                self.server.stop()
        finally:
            if process.poll() != 0:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def admitted(folder: Path, settings: Mapping[str, str]) -> Iterator[Patient]:
    """Run a server that is going to be killed."""
    patient = Patient(folder, settings)
    try:
        patient.recover()
        patient.whole_after = 0.0
        yield patient
    finally:
        patient.end()


def restart(folder: Path) -> None:
    """Start the server once more, and stop it when it has moved what it found in its spool."""
    spool = folder / "data" / "spool"
    with admitted(folder / "again", {"STOPGAP_DATA": str(folder / "data")}):
        wait_for(lambda: not backlog(spool).bytes, DRAINED_SECONDS, "the spool is drained")


def kill_under_load(folder: Path, victims: Sequence[Victim], *, spaced: bool) -> Outcome:
    """Kill one victim after the other while clients ask; then stop the server, and count.

    What a stop leaves in the spool, since it does not wait for long, is moved after a restart.

    Args:
        folder: Where it all happens.
        victims: Who dies, each at a random moment.
        spaced: Whether the server is well again before each death; else they come back to back.
    """
    with admitted(folder, {}) as patient, Load(patient.server.port) as load:
        for victim in victims:
            time.sleep(random.uniform(0, SPACE_SECONDS if spaced else HASTE_SECONDS))
            patient.strike(victim)
            if spaced:
                patient.recover()
        patient.recover()
        time.sleep(random.uniform(0, HASTE_SECONDS))
        load.stop()
    if segments(folder / "data" / "spool"):
        restart(folder)
    reckoning = reckon(load.toll.acknowledged, f"sqlite:///{folder / 'data' / 'journal.db'}")
    return Outcome(
        kills=patient.kills,
        whole_after=patient.whole_after,
        toll=load.toll,
        reckoning=reckoning,
    )
