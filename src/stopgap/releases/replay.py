"""Replay: what a model would have answered to requests that are on record."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row, recorded_row
from stopgap.contracts.values import breach
from stopgap.models.failures import ModelFailed
from stopgap.models.slot import Slot
from stopgap.models.specification import Specification
from stopgap.releases.accuracy import Accuracy
from stopgap.releases.comparing import Comparison
from stopgap.releases.tally import Tally, outcome_of
from stopgap.releases.verification.asking import Answered, Asking, TimeOver

SECONDS = 600.0
"""For a replay, once the model is loaded; what was replayed until then is told."""

FAILURES = 20
"""Requests without an answer that are kept."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A request that was answered."""

    inputs: bytes  # canonical JSON
    output: Any
    drawn: bool = False  # by the stand-in
    actual: Any = None  # what really came of it; None: nobody has told


@dataclass(kw_only=True)
class Replay:
    """What came of it: the model's answers beside those that were given."""

    comparison: Comparison
    accuracy: Accuracy
    tally: Tally
    unreadable: int = 0  # records whose inputs, or answers, the contract allows no more
    drawn: int = 0  # of those that were asked, answers that the stand-in had given
    time_over: bool = False  # before all were asked
    failures: list[tuple[bytes, str]] = field(default_factory=list)  # inputs, and what was said


async def replay(
    slot: Slot,
    contract: Contract,
    specification: Specification,
    records: Iterable[Recorded],
    *,
    number: int,
    seconds: float = SECONDS,
    progress: Callable[[int], None],
) -> Replay:
    """Start a model, ask it what others were asked, and stop it.

    Args:
        slot: Not started yet.
        records: As many as there are to be; they are read in batches.
        number: Of the release.
        seconds: From when it is loaded; then it ends, with what was seen until then.
        progress: Told how many were asked.

    Raises:
        ModelUnloadable: it cannot be loaded.
    """
    found = Replay(
        comparison=Comparison(contract.output_kind),
        accuracy=Accuracy(contract.output_kind),
        tally=Tally(contract=contract.name, number=number),
    )
    try:
        await slot.start()
        until = time.monotonic() + seconds
        asking = Asking(slot, deadline=specification.deadline, until=until)
        pairs = _readable(contract, records, found)
        while batch := list(islice(pairs, specification.batch)):
            answered = await asking.batch([row for row, _ in batch])
            if any(each.failed for each in answered) and len(batch) > 1:
                answered = [await asking.alone(row) for row, _ in batch]
            _count(contract, found, answered, [record for _, record in batch])
            progress(asking.asked)
    except TimeOver:
        found.time_over = True
    finally:
        await slot.stop()
    return found


def _readable(
    contract: Contract, records: Iterable[Recorded], found: Replay
) -> Iterator[tuple[Row, Recorded]]:
    """Leave out what was recorded under another contract and means nothing now."""
    for record in records:
        row = recorded_row(contract, record.inputs)
        if row is None or breach(contract.output_kind, record.output) is not None:
            found.unreadable += 1
            continue
        yield row, record


def _count(
    contract: Contract, found: Replay, answered: Sequence[Answered], given: Sequence[Recorded]
) -> None:
    for each, before in zip(answered, given, strict=True):
        found.drawn += before.drawn
        micros = int(each.seconds * 1_000_000)
        if isinstance(each.output, ModelFailed):
            found.tally.add(outcome_of(each.output), micros)
            found.failures.append((each.row.json, each.output.reason))
        elif broken := breach(contract.output_kind, each.output):
            found.tally.add("breach", micros)
            found.failures.append((each.row.json, broken))
        else:
            found.tally.add("ok", micros)
            found.comparison.add(each.row.json, before.output, each.output)
            if before.actual is not None:
                found.accuracy.add(before.actual, before.output, each.output)
    del found.failures[FAILURES:]
