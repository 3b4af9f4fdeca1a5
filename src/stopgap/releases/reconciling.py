"""Reconciling: one contract's models are loaded before anything changes, and stopped after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from stopgap.contracts.contract import Contract
from stopgap.models.failures import ModelUnloadable
from stopgap.models.slot import Slot
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.release import Release, name_of
from stopgap.releases.routing import Routing

RETRY_SECONDS = 2.0
"""Before a model that could not be loaded is tried again; each time twice as long."""

RETRY_MOST_SECONDS = 60.0

LEAVE_SECONDS = 65.0
"""How long a slot is kept for predictions that may still ask it: longer than any deadline."""

LOOK_SECONDS = 0.1
"""How often it is seen whether the last prediction has left; a thread of Flask's may be as late."""

logger = logging.getLogger(__name__)


Open = Callable[[Contract, SlotKey], Awaitable[Slot]]
"""Loads what a key is for; it is started and warm then. Raises ModelUnloadable if it cannot be."""


@dataclass(kw_only=True)
class _Trouble:
    """A model that could not be loaded."""

    reason: str
    pause: float  # seconds until the next attempt
    at: float  # when that is


class SlotReconciler:
    """Keeps one contract's slots to what its routing says; all of it on one event loop.

    A plan is made as soon as the live release is loaded, or cannot be. Until then who was live
    before it stays, and every other change is made; after a start, whoever may help out does.
    Whoever else is still being loaded takes no part until then; whoever cannot be loaded takes
    part, and fails.

    Args:
        contract: Whose.
        open: Loads a model.
        apply: Has the next predictions go by a plan.
        monotonic: Tells seconds.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        open: Open,  # noqa: A002  # it is what it does
        apply: Callable[[Contract, Plan], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._contract = contract
        self._open = open
        self._apply = apply
        self._monotonic = monotonic
        self._routing: Routing | None = None
        self._slots: dict[SlotKey, Slot] = {}
        self._loading: dict[SlotKey, asyncio.Task[None]] = {}
        self._troubles: dict[SlotKey, _Trouble] = {}
        self._plan = Plan(None)
        self._before: list[Plan] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()
        apply(contract, self._plan)

    @property
    def is_following(self) -> bool:
        """Whether it is known who is to answer."""
        return self._routing is not None

    def follow(self, routing: Routing) -> None:
        """Go by another routing from now on, as soon as its models are loaded."""
        self._routing = routing
        live, now = SlotKey.of(routing.live), self._plan.routing
        failed = now is not None and SlotKey.of(now.live) == live
        known = self._troubles.get(live) if live and failed else None
        self._troubles.clear()  # whoever changes something has perhaps mended it
        if live and known:  # and who helps out for it does not have to wait for that
            self._troubles[live] = replace(known, pause=RETRY_SECONDS, at=0.0)
        self._settle()

    def retry(self) -> None:
        """Load again what could not be, if it is time."""
        if self._routing and self._troubles:
            self._load(self._routing)

    def troubles(self) -> Mapping[int, str]:
        """Tell which releases cannot be asked now, and why."""
        away = {key.number: why for key, slot in self._slots.items() if (why := slot.trouble)}
        return away | {key.number: each.reason for key, each in self._troubles.items()}

    async def ready(self) -> None:
        """Wait until every model that clients may need has been loaded, or has failed to."""
        await self._settled.wait()

    async def close(self) -> None:
        """Stop everything."""
        tasks = [*self._loading.values(), *self._leaving]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(_stop(slot) for slot in self._slots.values()))
        self._slots.clear()

    def _settle(self) -> None:
        """Load what is missing, and swap as soon as that makes sense."""
        routing = self._routing
        if routing is None:
            return
        self._load(routing)
        if possible := self._possible(routing):
            self._swap(possible)
        if all(self._is_settled(key) for key in _keys(routing) if not key.background):
            self._settled.set()

    def _is_settled(self, key: SlotKey | None) -> bool:
        return key is None or key in self._slots or key in self._troubles

    def _load(self, routing: Routing) -> None:
        wanted = set(_keys(routing))
        for key in self._loading.keys() - wanted:
            self._loading.pop(key).cancel()
        now = self._monotonic()
        for key in wanted - self._slots.keys() - self._loading.keys():
            trouble = self._troubles.get(key)
            if trouble is None or trouble.at <= now:
                self._loading[key] = asyncio.create_task(self._open_slot(key))

    async def _open_slot(self, key: SlotKey) -> None:
        """Load a model, and see what can be done with it."""
        await asyncio.sleep(0)  # where tasks begin at once, whoever made this one goes first
        try:
            slot = await self._open(self._contract, key)
        except asyncio.CancelledError:
            raise
        except ModelUnloadable as error:
            self._note_trouble(key, error.detail)
        except Exception as error:
            logger.exception("a model could not be loaded")
            self._note_trouble(key, type(error).__name__)
        else:
            self._slots[key] = slot
            self._troubles.pop(key, None)
        del self._loading[key]
        self._settle()

    def _note_trouble(self, key: SlotKey, reason: str) -> None:
        known = self._troubles.get(key)
        pause = min(known.pause * 2, RETRY_MOST_SECONDS) if known else RETRY_SECONDS
        at = self._monotonic() + pause
        self._troubles[key] = _Trouble(reason=reason, pause=pause, at=at)
        told = {"contract": self._contract.name, "release": name_of(key.number), "reason": reason}
        logger.error("a release cannot be loaded; it is tried again", extra=told)

    def _possible(self, routing: Routing) -> Routing | None:
        """Leave out who is still being loaded; None: nobody can answer yet."""
        live, previous, now = routing.live, routing.previous, self._plan.routing
        settled = self._is_settled(SlotKey.of(live))
        if not settled and now and now.live.number != live.number:
            live = now.live
            if previous and previous.number == live.number:
                previous = now.previous

        def there(release: Release, *, background: bool = False) -> bool:
            key = SlotKey.of(release, background=background)
            return release.number != live.number and self._is_settled(key)

        canary = routing.canary
        possible = replace(
            routing,
            live=live,
            canary=canary if canary and there(canary) else None,
            previous=previous if previous and there(previous) else None,
            shadows=tuple(each for each in routing.shadows if there(each, background=True)),
        )
        if settled or now or Plan(possible, self._slots).can_answer:
            return possible
        return None

    def _swap(self, routing: Routing) -> None:
        """Swap the plan, if it is another; then see those out whom it does not need."""
        wanted = set(_keys(routing))
        plan = Plan(routing, {key: slot for key, slot in self._slots.items() if key in wanted})
        if plan.same_as(self._plan):
            return
        # a prediction may have taken the old plan, and not have counted itself in yet
        self._before = [*(each for each in self._before if each.inside), self._plan]
        self._plan = plan
        self._apply(self._contract, plan)
        needed = wanted.union(_keys(self._routing)) if self._routing else wanted
        gone = [self._slots.pop(key) for key in self._slots.keys() - needed]
        if gone:
            task = asyncio.create_task(self._see_out(gone, self._before[:]))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _see_out(self, slots: list[Slot], plans: list[Plan]) -> None:
        """Stop slots when the last prediction that may ask them has left; cancelled, at once."""
        try:
            await asyncio.sleep(LOOK_SECONDS)
            async with asyncio.timeout(LEAVE_SECONDS):
                while any(plan.inside for plan in plans):  # noqa: ASYNC110  # their end is no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            logger.warning("a model is stopped though some may wait for it")
        finally:
            await asyncio.gather(*map(_stop, slots))


def _keys(routing: Routing) -> Iterator[SlotKey]:
    """List the keys of a routing; a release may have one as a shadow, and one beside that."""
    for release in (routing.live, routing.canary, routing.previous):
        if release and (key := SlotKey.of(release)):
            yield key
    for release in routing.shadows:
        if key := SlotKey.of(release, background=True):
            yield key


async def _stop(slot: Slot) -> None:
    try:
        await slot.stop()
    except Exception:
        logger.exception("a model did not stop well")
