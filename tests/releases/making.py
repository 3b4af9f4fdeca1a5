"""Releases to test with."""

from datetime import UTC, datetime

from stopgap.contracts.contract import Contract
from stopgap.models.specification import Specification
from stopgap.releases.release import Release, Stage, Sticky
from stopgap.releases.routing import Routing
from stopgap.releases.verification.report import RULES, Failure, Finding, Report

MOMENT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def release(
    number: int = 1, stage: Stage = "candidate", percent: float = 0.0, sticky: Sticky = "caller"
) -> Release:
    """Make a release of a contract called `test`."""
    return Release(
        contract="test",
        number=number,
        fingerprint="0123456789abcdef",
        specification=Specification(uri=f"python:shop.models:model_{number}"),
        stage=stage,
        percent=percent,
        sticky=sticky,
        created_at=MOMENT,
        created_by="ann",
        note="first try",
    )


def routing(percent: float, sticky: Sticky = "caller", canary: int = 2) -> Routing:
    """Make the routing of a live release 1 and a canary."""
    return Routing(
        contract="test",
        version=7,
        live=release(1, "live"),
        canary=release(canary, "canary", percent, sticky),
    )


def specification(number: int = 1) -> Specification:
    """Say which model a release has."""
    return Specification(uri=f"python:shop.models:model_{number}")


def report(contract: Contract, *broken: str, at: datetime = MOMENT) -> Report:
    """Make the report of a verification that broke these rules."""
    findings = tuple(
        Finding(
            rule=rule.name,
            outcome="broken" if rule.name in broken else "held",
            figure="1 of 2 inputs",
            failures=(Failure(inputs={"n": 1}, said="nothing"),) if rule.name in broken else (),
        )
        for rule in RULES
    )
    return Report(
        contract=contract.name,
        fingerprint=contract.fingerprint,
        examples=contract.examples_fingerprint,
        at=at,
        seconds=1.5,
        findings=findings,
        loaded={"kind": "python", "seconds": 0.2},
    )
