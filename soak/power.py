"""Power: it fails while answers are given, and what is on the disk by then is all that is left.

The data folder is on a file system in a file. What the system still holds in memory is not in that
file, so a copy of it is the disk as a power cut would leave it. Needs root, and Linux.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.load import Acknowledged, Load
from tests.acceptance.processes import wait_for
from tests.acceptance.reckoning import Reckoning, reckon
from tests.acceptance.server import ML_SERVER, Server, running
from tests.acceptance.stopping import CONNECTIONS

DISK_BYTES = 256 * 2**20
LOAD_SECONDS = (2.0, 5.0)
COMMIT_SECONDS = 600
"""How often ext4 writes by itself what it remembers of files."""

STILL_SECONDS = 0.1
"""From the processes' stop to the copy: a write that has begun ends."""

GONE_SECONDS = 10
"""For killed processes to be gone, so that nothing of theirs is open on the disk."""

WRITEBACK = Path("/proc/sys/vm/dirty_writeback_centisecs")
"""How often Linux writes by itself what is in its memory; 0: never."""

KEPT: Mapping[str, float | None] = {"always": 0.0, "interval": 1.5, "off": None}
"""Before the cut, seconds of which records may be lost: the second that the setting promises, and
the time of its flush. None: whatever the system has not written by itself."""


@dataclass(kw_only=True)
class Cuts:
    """What came of some cuts with one setting."""

    fsync: str
    acknowledged: int = 0
    lost: int = 0
    changed: int = 0
    twice: int = 0
    oldest: float = 0.0  # seconds before its cut, of what is lost

    def add(self, found: Reckoning, at: float) -> None:
        """Count one more, at a time of the clock."""
        self.acknowledged += found.acknowledged
        self.lost += found.missing
        self.changed += found.changed
        self.twice += found.twice
        self.oldest = max([self.oldest, *(at - answered_at(each) for each in found.lost)])

    @property
    def faults(self) -> list[str]:
        """What does not hold; with `off`, a loss is what shows that power was cut at all."""
        kept = KEPT[self.fsync]
        wrong = {
            f"{self.changed} changed": self.changed > 0,
            f"{self.twice} doubled": self.twice > 0,
            "nothing was acknowledged": self.acknowledged == 0,
            "nothing is lost: no power was cut": kept is None and not self.lost,
            f"{self.lost} lost, of up to {self.oldest:.1f} s before": (
                kept is not None and self.lost > 0 and self.oldest > kept
            ),
        }
        return [words for words, is_so in wrong.items() if is_so]


def can_cut_power() -> bool:
    """Tell whether this process may have file systems of its own."""
    return sys.platform == "linux" and os.geteuid() == 0


def cut_power(folder: Path, times: int, *, fsync: str) -> Cuts:
    """Cut the power so many times under load, each time of a new disk."""
    cuts = Cuts(fsync=fsync)
    settings = {"STOPGAP_JOURNAL_FSYNC": fsync, "STOPGAP_WORKERS": "2"}
    for turn in range(times):
        place = folder / str(turn)
        place.mkdir(parents=True)
        disk, left = place / "disk", place / "left"
        _format(disk)
        with _mounted(disk, place / "before") as before:
            acknowledged, at = _answer_until_the_cut(before, settings, disk, left)
        with _mounted(left, place / "after") as after:
            with running(after, settings):
                pass  # what was in the spool is moved by its end
            cuts.add(reckon(acknowledged, f"sqlite:///{after / 'data' / 'journal.db'}"), at)
        shutil.rmtree(place)
    return cuts


def answered_at(request_id: str) -> float:
    """Tell when an id was made, which begins with milliseconds since 1970 (RFC 9562, 5.7)."""
    return int(request_id.replace("-", "")[:12], 16) / 1_000


def _answer_until_the_cut(
    folder: Path, settings: Mapping[str, str], disk: Path, left: Path
) -> tuple[Sequence[Acknowledged], float]:
    """Serve until some moment; copy the disk as it is then, and tell who was answered, and when."""
    with running(folder, settings):
        pass  # a server that has been here for long
    os.sync()
    server = Server(folder, ML_SERVER, settings)
    server.wait_until_up()
    with _nothing_written_by_itself(), Load(server.port, connections=CONNECTIONS) as load:
        time.sleep(random.uniform(*LOAD_SECONDS))  # noqa: S311  # a moment, and no secret
        os.killpg(server.process.pid, signal.SIGSTOP)
        at = time.time()
        time.sleep(STILL_SECONDS)
        shutil.copyfile(disk, left)
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
    wait_for(lambda: not _is_there(server.process.pid), GONE_SECONDS, "all of it has ended")
    return load.toll.acknowledged, at


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _format(disk: Path) -> None:
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    _run("mkfs.ext4", "-q", "-F", str(disk))


@contextmanager
def _mounted(disk: Path, place: Path) -> Iterator[Path]:
    """Have a file system at a place, which writes nothing by itself either."""
    place.mkdir()
    options = f"loop,commit={COMMIT_SECONDS}"
    _run("mount", "-o", options, str(disk), str(place))
    try:
        yield place
    finally:
        _run("umount", str(place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # the system's own programs


@contextmanager
def _nothing_written_by_itself() -> Iterator[None]:
    usual = WRITEBACK.read_text()
    WRITEBACK.write_text("0")
    try:
        yield
    finally:
        WRITEBACK.write_text(usual)
