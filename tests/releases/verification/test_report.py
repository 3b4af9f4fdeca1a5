"""The report: bounded, whatever a model says, and in the way of whatever was not seen to hold."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from tests.contracts.promises import DELIVERY
from tests.releases.making import report

from stopgap.releases.verification.report import RULES, SAID_MAX, Failure, Finding, Report


def test_what_stands_in_the_way() -> None:
    """A broken rule stands in the way, and so does one that was not checked or not even named."""
    assert report(DELIVERY).passed
    assert report(DELIVERY, "repeats", "contract").obstacles == ("contract", "repeats")
    unchecked = Finding(rule="memory", outcome="not checked", figure="no time")
    some = Report(
        contract="delivery-time",
        fingerprint=DELIVERY.fingerprint,
        at=datetime(2030, 1, 1, tzinfo=UTC),
        seconds=1.0,
        findings=(Finding(rule="loads", outcome="held", figure="0.2 s"), unchecked),
    )
    assert some.obstacles == tuple(rule.name for rule in RULES[1:])


def test_an_early_report() -> None:
    """One that does not say which golden examples were asked is of a contract without any."""
    document = report(DELIVERY).document()
    assert document.pop("examples") == ""
    assert Report.of(document) == report(DELIVERY)


def test_failures_are_short() -> None:
    """However long inputs and words are, what is kept of them is not."""
    made = Failure.make({"note": "x" * 100_000, "n": 5}, "y" * 100_000)
    assert made.inputs["n"] == 5
    assert len(json.dumps(made.inputs)) < 200
    assert len(made.said) == SAID_MAX + 1


def test_only_some_rules_are_fixed() -> None:
    """What nobody can override is exactly this."""
    assert [rule.name for rule in RULES if rule.fixed] == ["loads", "survives"]


def test_what_an_override_comes_to() -> None:
    """It is said whether a rule was broken, or nobody knows."""
    some = report(DELIVERY, "repeats")
    unchecked = Finding.unchecked("memory", "no time")
    some = replace(some, findings=(*some.findings[:-1], unchecked))
    assert some.in_spite_of(3, "repeats").startswith(
        "Release 3 may have traffic although it broke the rule repeats,"
    )
    assert "although the rule memory was not checked," in some.in_spite_of(3, "memory")
