"""Verifying: a model is started, asked thousands of inputs, and held against every rule."""

import random
import time
from collections.abc import Mapping
from dataclasses import asdict

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.models.loaded import Loaded
from stopgap.models.slot import Slot
from stopgap.models.specification import Specification
from stopgap.releases.verification.asking import Asking, TimeOver
from stopgap.releases.verification.checking import Checks
from stopgap.releases.verification.influence import unheeded
from stopgap.releases.verification.observing import Progress, observe
from stopgap.releases.verification.report import RULES, Finding, Report
from stopgap.releases.verification.rows import corner_rows, sampled_rows

SAMPLES = 3_000
"""Sampled inputs: a model that fails at one input in a thousand is found in 95 runs of 100."""

SECONDS = 60.0
"""For a verification, once the model is loaded; one that takes 15 ms for a row is done by then."""

ANSWERING = ("answers", "latency")
"""Rules of which one that did not hold means that more questions cost much and tell little."""

LAST = ("repeats", "survives")
"""Rules that come after the others: one starts another process, which would have to be warm to be
timed, and the other is told by all that was asked."""


async def verify(
    slot: Slot,
    contract: Contract,
    specification: Specification,
    *,
    clock: Clock,
    source: random.Random,
    samples: int = SAMPLES,
    seconds: float = SECONDS,
    progress: Progress,
) -> Report:
    """Start a model, hold it against every rule, and stop it.

    Args:
        slot: Not started yet.
        specification: What the release says of the model.
        samples: Inputs besides the corners.
        seconds: From when it is loaded; then it ends, with what was seen until then.
        progress: Told how many inputs were asked, of how many.

    Raises:
        ModelUnloadable: it cannot be loaded; there is nothing to report on.
        SampleNotFound: the contract gives no inputs to ask with.
    """
    began = time.monotonic()
    corners, drawn = corner_rows(contract), sampled_rows(contract, source)
    rows = [*corners, *(next(drawn) for _ in range(samples))]
    try:
        loaded = await slot.start()
        until = time.monotonic() + seconds
        asking = Asking(slot, deadline=specification.deadline, until=until)
        observed = await observe(
            slot,
            asking,
            contract,
            rows,
            corners=len(corners),
            batch=specification.batch,
            progress=progress,
        )
        findings = await _findings(
            loaded,
            Checks(
                observed=observed, asking=asking, contract=contract, specification=specification
            ),
        )
    finally:
        await slot.stop()
    return Report(
        contract=contract.name,
        fingerprint=contract.fingerprint,
        examples=contract.examples_fingerprint,
        at=clock.now(),
        seconds=round(time.monotonic() - began, 3),
        findings=findings,
        loaded=asdict(loaded),
    )


async def _findings(loaded: Loaded, checks: Checks) -> tuple[Finding, ...]:
    """Tell what became of every rule; whichever asked, it shows last what the process survived."""
    names = [rule.name for rule in RULES[1:]]
    first = [name for name in names if name not in LAST]
    found = {name: await _found(checks, name) for name in (*first, "repeats")}
    told = [f"ready after {loaded.seconds:.2f} s", loaded.note, *await _unheeded(checks, found)]
    found["survives"] = await _found(checks, "survives")
    loads = Finding.held("loads", "; ".join(filter(None, told)))
    return loads, *(found[name] for name in names)


async def _found(checks: Checks, rule: str) -> Finding:
    """Tell what became of a rule."""
    if reason := _obstacle(checks, rule):
        return Finding.unchecked(rule, reason)
    try:
        return await checks.of(rule)()
    except TimeOver:
        return Finding.unchecked(rule, "there was no time left for it; see --seconds")


async def _unheeded(checks: Checks, findings: Mapping[str, Finding]) -> list[str]:
    """Tell of inputs that changed no answer; only a model that answers all in time is asked on."""
    if checks.died or any(findings[rule].outcome != "held" for rule in ANSWERING):
        return []
    found = await unheeded(checks.asking, checks.contract, checks.specification.batch)
    return [f"{name}, varied alone, changed no answer of {n:,} inputs" for name, n in found.items()]


def _obstacle(checks: Checks, rule: str) -> str:
    """Say why a rule cannot be checked; nothing: it can."""
    observed = checks.observed
    if checks.died:
        return "" if rule == "survives" else "its process did not survive"
    if observed.says_enough:
        return ""
    seen = f"{len(observed.answered):,} of {observed.inputs:,} inputs"
    return f"no time for more than {seen}; see --seconds, --samples and --batch"
