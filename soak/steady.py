"""Half load for a long time: what each process holds, and whether that grows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

from tests.acceptance.killing import DRAINED_SECONDS
from tests.acceptance.load import Load, Toll
from tests.acceptance.processes import Size, drainers, size, wait_for, workers
from tests.acceptance.reckoning import Reckoning, reckon
from tests.acceptance.server import running

from stopgap.journal.backlog import backlog

TRIAL_SECONDS = 5
"""In which it is found out what the full load is."""

SAMPLES = 120
WARM_UP = 0.2
"""The share of the samples that does not count: caches fill, pools are made."""

MEBIBYTE = 1024 * 1024
MEMORY_GROWTH = 4 * MEBIBYTE
MEMORY_SHARE = 0.05
COUNT_GROWTH = 2
"""What a process may grow by from one end of the samples to the other, by their regression: the
larger of so much memory and of so large a share; so many files or threads."""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How one quantity went."""

    usual: float  # the median
    growth: float  # from the first sample that counts to the last, along the regression
    bound: float  # of the growth

    @property
    def is_flat(self) -> bool:
        """Whether it stays, as far as can be told."""
        return self.growth <= self.bound


@dataclass(frozen=True, kw_only=True)
class Course:
    """How one process went."""

    name: str
    memory: Trend
    files: Trend
    threads: Trend

    @property
    def is_flat(self) -> bool:
        """Whether all of it stays."""
        return self.memory.is_flat and self.files.is_flat and self.threads.is_flat


@dataclass(frozen=True, kw_only=True)
class Steady:
    """What came of it."""

    rate: float  # requests per second
    courses: Sequence[Course]  # of the processes that lived through it all
    replaced: int  # processes that did not
    toll: Toll
    reckoning: Reckoning

    @property
    def faults(self) -> list[str]:
        """What does not hold: nobody fails, nothing grows, all is in the journal once."""
        found = self.reckoning.faults(broken=0)
        found += [f"{each.name} grows" for each in self.courses if not each.is_flat]
        if self.replaced:
            found.append(f"{self.replaced} processes were replaced")
        if self.toll.failed:
            found.append(f"{self.toll.failed} requests failed: {dict(self.toll.refused)}")
        return found


def trend(values: Sequence[float], least: float, share: float = 0.0) -> Trend:
    """Tell how a quantity went, from samples at regular times."""
    kept = values[int(len(values) * WARM_UP) :]
    slope = linear_regression(range(len(kept)), kept).slope
    usual = median(kept)
    return Trend(usual=usual, growth=slope * (len(kept) - 1), bound=max(least, share * usual))


def course(name: str, sizes: Sequence[Size]) -> Course:
    """Tell how a process went."""
    return Course(
        name=name,
        memory=trend([each.memory for each in sizes], MEMORY_GROWTH, MEMORY_SHARE),
        files=trend([each.files for each in sizes], COUNT_GROWTH),
        threads=trend([each.threads for each in sizes], COUNT_GROWTH),
    )


def hold_half_load(folder: Path, seconds: float, rate: float | None = None) -> Steady:
    """Ask for long, and sample.

    Args:
        folder: Where the server keeps its things.
        seconds: For so long.
        rate: Requests per second; None: half of what this machine manages, server and clients
            together.
    """
    with running(folder, {"STOPGAP_WORKERS": "2"}) as server:
        with Load(server.port) as trial:
            time.sleep(TRIAL_SECONDS)
        rate = rate or trial.answers / TRIAL_SECONDS / 2
        supervisor = server.process.pid
        names = {supervisor: "supervisor"}
        names |= {pid: f"worker {n}" for n, pid in enumerate(workers(supervisor), 1)}
        names |= dict.fromkeys(drainers(supervisor), "drainer")
        with Load(server.port, rate=rate) as load:
            samples = _sample(names, seconds)
        spool = server.data / "spool"
        wait_for(lambda: not backlog(spool).bytes, DRAINED_SECONDS, "the spool is drained")
    toll = trial.toll
    toll.add(load.toll)
    return Steady(
        rate=rate,
        courses=[course(names[pid], sizes) for pid, sizes in samples.items() if sizes],
        replaced=sum(not sizes for sizes in samples.values()),
        toll=toll,
        reckoning=reckon(toll.acknowledged, f"sqlite:///{server.data / 'journal.db'}"),
    )


def _sample(names: dict[int, str], seconds: float) -> dict[int, list[Size]]:
    """Measure processes again and again; one that ends has no samples."""
    samples: dict[int, list[Size]] = {pid: [] for pid in names}
    living = set(names)
    for _ in range(SAMPLES):
        time.sleep(seconds / SAMPLES)
        for pid in tuple(living):
            try:
                samples[pid].append(size(pid))
            except OSError:
                living.remove(pid)
                samples[pid].clear()
    return samples
