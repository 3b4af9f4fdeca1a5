"""Stopping: a server under load is told to end, again and again, and everything is counted."""

import time
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.load import Load, Toll
from tests.acceptance.reckoning import Reckoning, reckon
from tests.acceptance.server import running

LOAD_SECONDS = 0.3
CONNECTIONS = 16
STOP_SECONDS = 3.0
"""A second for the notice, one for who is still inside, one for the last records."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What came of it."""

    toll: Toll
    while_stopping: int  # answers after the signal
    slowest: float  # seconds from the signal to the end
    left: int  # files in the spool after the last stop
    reckoning: Reckoning

    @property
    def faults(self) -> list[str]:
        """What does not hold: who is connected notices nothing, and the spool is left empty."""
        found = self.reckoning.faults(broken=0)
        if self.toll.broken or self.toll.refused:
            found.append(f"{self.toll.broken} broken, refused with {dict(self.toll.refused)}")
        if self.slowest > STOP_SECONDS:
            found.append(f"it ended after {self.slowest:.1f} s only")
        if self.left:
            found.append(f"{self.left} files are left in the spool")
        if not self.while_stopping:
            found.append("nobody asked any more")
        return found


def stop_under_load(folder: Path, times: int, *, processes: int, alone: bool) -> Stopped:
    """Start a server so many times, and stop it while clients ask who go when they are told to.

    Args:
        folder: Where it keeps its things, over all its lives.
        times: How often.
        processes: Workers.
        alone: Whether the signal goes to one process, else to its whole group.
    """
    data = folder / "data"
    told = {"STOPGAP_WORKERS": str(processes), "STOPGAP_DATA": str(data)}
    total, late, slowest = Toll(), 0, 0.0
    for turn in range(times):
        with running(folder / str(turn), told, stopped=False) as server:
            with Load(server.port, connections=CONNECTIONS) as load:
                time.sleep(LOAD_SECONDS)
                before = load.answers
                slowest = max(slowest, server.stop(alone=alone))
            late += load.answers - before
            total.add(load.toll)
    return Stopped(
        toll=total,
        while_stopping=late,
        slowest=slowest,
        left=len(list((data / "spool").glob("*.spool"))),
        reckoning=reckon(total.acknowledged, f"sqlite:///{data / 'journal.db'}"),
    )
