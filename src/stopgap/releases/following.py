"""Following: each worker learns within half a second who is to answer, and sees to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from stopgap.contracts.contract import Contract
from stopgap.models.specification import LOAD_TIMEOUT_MAX
from stopgap.releases.last_known import LastKnown
from stopgap.releases.plan import Plan
from stopgap.releases.reconciling import Open, SlotReconciler
from stopgap.releases.routing import Routing
from stopgap.releases.trouble import Troubles
from stopgap.telemetry.logs import Outage

T = TypeVar("T")

LOOK_SECONDS = 0.4
"""How often the releases' version is asked for: one small read."""

STEADY_LOOKS = 10
"""Good ones in a row, after which it is told that the source is back: where connections are scarce,
every other look may fail."""

REPORT_SECONDS = 1.0
"""How often what was counted is handed over, and canaries are judged."""

START_SECONDS = 30.0
"""How long a start waits for models. Then it goes on, and what is still missing comes later, ...

Until then nobody listens: Heroku ends what does not within 60 s of its start (error R10)."""

HELPED_SECONDS = LOAD_TIMEOUT_MAX + 10.0
"""... but where others answer meanwhile, it waits for longer than any load may take."""

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Who knows the releases. It may take its time, in a thread."""

    def version(self) -> int:
        """Tell a number that changes with every change."""

    def routing(self, contract: str) -> Routing:
        """Tell who answers for a contract."""


class Follower:
    """Keeps each contract's plan as the releases say, on one event loop.

    What is new is loaded before anything changes; then one reference is swapped; then what is gone
    is stopped, after its last answer. So no request fails over a change, unless a model
    cannot be loaded.

    Args:
        source: Who knows the releases.
        contracts: Those that are served.
        open: Loads a model.
        apply: Swaps the reference.
        last_known: What to go by when the source does not answer at the start.
        report: Takes what was counted, and is told what cannot be asked; returns what hands it
            over, to be called in a thread.
        monotonic: Tells seconds.
        helped: Whether others answer until it has started.
    """

    def __init__(
        self,
        source: Source,
        *,
        contracts: Sequence[Contract],
        open: Open,  # noqa: A002  # it is what it does
        apply: Callable[[Contract, Plan], None],
        last_known: LastKnown,
        report: Callable[[Troubles], Callable[[], None]],
        monotonic: Callable[[], float],
        helped: bool = False,
    ) -> None:
        self._source = source
        self._contracts = contracts
        self._open = open
        self._apply = apply
        self._last_known = last_known
        self._report = report
        self._monotonic = monotonic
        self._helped = helped
        self._version: int | None = None
        self._away = Outage(STEADY_LOOKS)  # the source
        self._losing = Outage()  # what was counted
        self._reconcilers: dict[str, SlotReconciler] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pool: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Have a plan for every contract when this returns, and follow from then on.

        Until it is known who is to answer nobody does: never the stand-in for a real model.
        """
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="releases")
        self._version = None
        for each in self._contracts:
            self._reconcilers[each.name] = SlotReconciler(
                each, open=self._open, apply=self._apply, monotonic=self._monotonic
            )
        await self._look()
        if self._version is None:
            self._follow(await self._in_thread(self._last_known.read))
        known = [each.ready() for each in self._reconcilers.values() if each.is_following]
        with suppress(TimeoutError):
            async with asyncio.timeout(HELPED_SECONDS if self._helped else START_SECONDS):
                await asyncio.gather(*known)
        self._tasks = [
            asyncio.create_task(_repeat(self._look, LOOK_SECONDS)),
            asyncio.create_task(_repeat(self._hand_over, REPORT_SECONDS)),
        ]

    async def stop(self) -> None:
        """Follow no more, and stop every model."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._pool:
            await self._hand_over()
            await asyncio.gather(*(each.close() for each in self._reconcilers.values()))
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        """See whether anything has changed. A source that does not answer has changed nothing."""
        try:
            version, routings = await self._in_thread(self._read)
        except Exception as error:  # noqa: BLE001  # whatever it is, what is known goes on
            if self._away.failed():
                logger.warning("it is not known whether releases have changed: %s", error)
        else:
            if self._away.recovered():
                logger.info("it is known again whether releases have changed")
            if routings is not None:
                self._version = version
                self._follow(routings)
        for reconciler in self._reconcilers.values():
            reconciler.retry()

    def _read(self) -> tuple[int, Mapping[str, Routing] | None]:
        """Read what there is, if it is another than is known; and keep it for later starts."""
        version = self._source.version()
        if version == self._version:
            return version, None
        routings = {each.name: self._source.routing(each.name) for each in self._contracts}
        self._last_known.write(routings)
        return version, routings

    def _follow(self, routings: Mapping[str, Routing]) -> None:
        for name, reconciler in self._reconcilers.items():
            if name in routings:
                reconciler.follow(routings[name])

    def _troubles(self) -> Troubles:
        return {
            (name, number): reason
            for name, reconciler in self._reconcilers.items()
            for number, reason in reconciler.troubles().items()
        }

    async def _hand_over(self) -> None:
        try:
            await self._in_thread(self._report(self._troubles()))
        except Exception as error:  # noqa: BLE001  # what was counted is no client's answer
            if self._losing.failed():
                logger.warning("what is counted of releases is lost: %s", error)
        else:
            if self._losing.recovered():
                logger.info("what is counted of releases is kept again")

    def _in_thread(self, call: Callable[[], T]) -> Awaitable[T]:
        """Call something that may wait, in threads of our own: others must not wait for it."""
        return asyncio.get_running_loop().run_in_executor(self._pool, call)


async def _repeat(call: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await call()
        except Exception:  # whatever it is, the next look is made
            logger.exception("following the releases goes on after an error")
