"""Reporting: what each release did is counted in the worker, and handed over once a second."""

import copy
import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Protocol

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.releases.comparing import Comparison
from stopgap.releases.judging import Verdict
from stopgap.releases.routing import Routing
from stopgap.releases.tally import Outcome, Tally
from stopgap.releases.trouble import Troubles

logger = logging.getLogger(__name__)


class Sink(Protocol):
    """Who keeps what workers have counted, and judges by it. It may take its time, in a thread."""

    def tally(self, worker: str, tallies: Collection[Tally]) -> None:
        """Add what a worker has counted since it last did."""

    def compare(
        self, contract: str, number: int, against: int, worker: str, comparison: Comparison
    ) -> None:
        """Keep all that a worker has compared, in place of what it had."""

    def trouble(self, worker: str, troubles: Troubles) -> None:
        """Keep what a worker cannot ask now, in place of what it told before."""

    def judge(self, contract: str) -> Verdict | None:
        """Judge a contract's canary, if it has one."""


SendBack = Callable[[str, int, str, Mapping[str, float]], bool]
"""Takes a canary off: contract, number, reason, figures. Tells whether it still was one."""


class OutcomeCounter:
    """One release's outcomes since they were last handed over."""

    def __init__(self, contract: str, number: int) -> None:
        self._new = partial(Tally, contract=contract, number=number)
        self._tally = self._new()

    def add(self, outcome: Outcome, micros: int) -> None:
        """Count one request."""
        self._tally.add(outcome, micros)

    def take(self) -> Tally | None:
        """Hand over what was counted; None: nothing was."""
        taken, self._tally = self._tally, self._new()
        return taken if taken.outcomes else None


class Reporter:
    """Counts for one worker. All of it on the event loop, but for what `take` returns.

    What cannot be handed over is lost: it is no client's answer, and must not pile up.

    Args:
        sink: Who takes it.
        send_back: Takes a canary off that does badly. Of all workers that find so, one does it.
        worker: What this worker is called, among all that ever were.
    """

    def __init__(self, sink: Sink, send_back: SendBack, worker: str) -> None:
        self._sink = sink
        self._send_back = send_back
        self._worker = worker
        self._counters: dict[tuple[str, int], OutcomeCounter] = {}
        self._comparisons: dict[tuple[str, int, int], Comparison] = {}
        self._changed: set[tuple[str, int, int]] = set()
        self._judged: dict[str, Routing] = {}
        self._files: dict[tuple[str, int], str | None] = {}
        self._troubled = False

    def counter(self, contract: str, number: int) -> OutcomeCounter:
        """Give that by which a release's outcomes are counted."""
        return self._counters.setdefault((contract, number), OutcomeCounter(contract, number))

    def comparer(self, contract: Contract, number: int) -> Callable[[Row, int, Any, Any], None]:
        """Give that to which a release's answers are told beside the ones that clients had."""

        def compare(row: Row, giver: int, given: Any, other: Any) -> None:
            key = (contract.name, number, giver)
            if key not in self._comparisons:
                self._comparisons[key] = Comparison(contract.output_kind)
            self._comparisons[key].add(row.json, given, other)
            self._changed.add(key)

        return compare

    def follow(self, routing: Routing) -> None:
        """Have a contract's canary judged from now on, if it has one.

        Of a release whose Python file is another than before, everything is compared anew.
        """
        self._judged[routing.contract] = routing
        for release in (routing.live, routing.canary, *routing.shadows, routing.previous):
            if release and release.specification:
                self._see_file(routing.contract, release.number, release.specification.file_hash)

    def _see_file(self, contract: str, number: int, file_hash: str | None) -> None:
        if self._files.setdefault((contract, number), file_hash) == file_hash:
            return
        self._files[contract, number] = file_hash
        for key, known in self._comparisons.items():
            if key[0] == contract and number in key[1:]:
                self._comparisons[key] = known.anew()
                self._changed.add(key)

    def take(self, troubles: Troubles) -> Callable[[], None]:
        """Take what was counted; return what hands it over and judges, for a thread to call.

        Args:
            troubles: What cannot be asked now; that there is none any more is told once.
        """
        tallies = [tally for each in self._counters.values() if (tally := each.take())]
        changed, self._changed = self._changed, set()
        comparisons = {key: copy.deepcopy(self._comparisons[key]) for key in changed}
        canaries = {
            name: routing.canary.number for name, routing in self._judged.items() if routing.canary
        }
        told = dict(troubles) if troubles or self._troubled else None
        self._troubled = bool(troubles)
        return partial(self._hand_over, tallies, comparisons, canaries, told)

    def _hand_over(
        self,
        tallies: Collection[Tally],
        comparisons: dict[tuple[str, int, int], Comparison],
        canaries: Mapping[str, int],
        troubles: Troubles | None,
    ) -> None:
        if tallies:
            self._sink.tally(self._worker, tallies)
        for (contract, number, against), comparison in comparisons.items():
            self._sink.compare(contract, number, against, self._worker, comparison)
        if troubles is not None:  # first, since they say why a canary is sent back
            self._sink.trouble(self._worker, troubles)
        for contract, number in canaries.items():
            self._judge(contract, number)

    def _judge(self, contract: str, number: int) -> None:
        verdict = self._sink.judge(contract)
        if verdict is None or verdict.action == "keep":
            return
        if self._send_back(contract, number, verdict.reason, verdict.figures):
            told = {"contract": contract, "release": str(number), "reason": verdict.reason}
            logger.warning("a canary has been sent back", extra=told)
