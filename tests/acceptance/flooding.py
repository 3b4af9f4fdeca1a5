"""Flooding: ten times the load that a slow model can carry; how it is before, then, and after."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.callers import LOADED_SECONDS
from tests.acceptance.desk import NAME, add, desk, recorded
from tests.acceptance.pressure import TARGET, Outcomes, Pressure
from tests.acceptance.processes import wait_for
from tests.acceptance.server import Server, running
from tests.acceptance.shop import CALL_SECONDS

THREADS = 8

CAPACITY = {"waiting": 1 / CALL_SECONDS, "computing": 1 / CALL_SECONDS}
"""Predictions per second: both take one row a call, one after the other."""

SOON = {"waiting": 0.05, "computing": 0.15}
"""Seconds in which nine of ten refusals have come. A model that computes in the worker itself holds
up the event loop, as no model does that has a process of its own."""

ANSWERED = 1.0
"""Seconds in which 99 of 100 of the accepted are answered."""

SERVED = 0.75
"""The share of what could be served that is, at least."""


@dataclass(frozen=True, kw_only=True)
class Flooded:
    """What came of it."""

    model: str
    seconds: float
    before: Outcomes
    flood: Outcomes
    status: Outcomes
    health: Outcomes
    after: Outcomes
    stolen: float  # of the processor's time in the flood, the share that its host gave to others

    @property
    def could_be_served(self) -> float:
        """How many predictions the model could have given: what computes needs the processor."""
        given = 1 - self.stolen if self.model == "computing" else 1.0
        return CAPACITY[self.model] * self.seconds * given

    @property
    def faults(self) -> list[str]:
        """What does not hold."""
        soon, flood = SOON[self.model], self.flood
        wrong = {
            f"calm: {self.before.counts}, {self.after.counts}": (
                {*self.before.counts, *self.after.counts} != {200}
            ),
            "it is slower afterwards": (
                self.after.quantile(200, 0.5) >= 2 * self.before.quantile(200, 0.5)
            ),
            f"answers: {flood.counts}": set(flood.counts) != {200, 503},
            f"served: {flood.counts[200]} of {self.could_be_served:.0f}": (
                flood.counts[200] <= SERVED * self.could_be_served
            ),
            "who is accepted waits too long": flood.quantile(200, 0.99) >= ANSWERED,
            "who is refused waits too long": flood.quantile(503, 0.9) >= soon,
            "a refusal has no Retry-After": {each.retry_after for each in flood.of(503)} != {1},
        }
        for name, watched in (("status", self.status), ("health", self.health)):
            wrong[f"{name}: {watched.counts}"] = set(watched.counts) != {200}
            wrong[f"{name} waits too long"] = watched.quantile(200, 0.5) >= soon
        return [words for words, is_so in wrong.items() if is_so]


@contextmanager
def slow_server(folder: Path, model: str) -> Iterator[Server]:
    """Run the server, with a release live whose model takes 20 ms a call."""
    in_process = model == "computing"
    with (
        running(folder, {"STOPGAP_THREADS": str(THREADS)}) as server,
        desk(server.data) as releases,
    ):
        number = add(releases, model.title(), batch=1, in_process=in_process)
        releases.promote(NAME, number, "ann")
        wait_for(lambda: _answering(server) == "1", LOADED_SECONDS, "it is live")
        wait_for(lambda: bool(recorded(server.data)), LOADED_SECONDS, "the drainer has started")
        yield server


def _answering(server: Server) -> str | None:
    return server.client().get(TARGET).header("Stopgap-Release")


def flood(folder: Path, model: str, seconds: float) -> Flooded:
    """Ask for ten times of what can be, for so long."""
    with slow_server(folder, model) as server:
        return asyncio.run(_flood(server.port, model, seconds))


async def _flood(port: int, model: str, seconds: float) -> Flooded:
    capacity = CAPACITY[model]
    predictions, status, health = (Pressure(port, path) for path in (TARGET, "/status", "/health"))
    await predictions.exert(capacity / 4, 1)
    before = await predictions.exert(capacity / 4, 2)
    wanted, stolen = _ticks()
    meanwhile = await asyncio.gather(
        predictions.exert(capacity * 10, seconds),
        status.exert(20, seconds),
        health.exert(10, seconds),
    )
    wanted_then, stolen_then = _ticks()
    await asyncio.sleep(1)
    after = await predictions.exert(capacity / 4, 2)
    for each in (predictions, status, health):
        await each.close()
    flooded, of_status, of_health = meanwhile
    return Flooded(
        model=model,
        seconds=seconds,
        before=before,
        flood=flooded,
        status=of_status,
        health=of_health,
        after=after,
        stolen=(stolen_then - stolen) / max(wanted_then - wanted, 1),
    )


def _ticks() -> tuple[int, int]:
    """Tell for how long processors were wanted so far, and were somebody else's meanwhile.

    The latter is known on a virtual machine whose host tells it (proc_stat(5), `steal`).
    """
    with Path("/proc/stat").open(encoding="ascii") as lines:
        user, nice, system, _, _, irq, softirq, steal, *_ = map(int, next(lines).split()[1:])
    return user + nice + system + irq + softirq + steal, steal
