"""The report: each rule that a model was held against, with its figure and what broke it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from stopgap.errors import Fault

Result = Literal["held", "broken", "not checked"]

FAILURES = 3
"""Failures of a rule that are kept; one shows the mistake, a thousand do not show it better."""

SAID_MAX = 300
"""Characters that are kept of what a model said."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is asked of a model."""

    name: str
    sentence: str
    fixed: bool = False  # no operator can override it


RULES = (
    Rule(name="loads", sentence="It loads, and comes to a first answer.", fixed=True),
    Rule(
        name="survives",
        sentence="No inputs end its process or keep it from answering by the deadline.",
        fixed=True,  # one client's inputs would take away the answers of all the others
    ),
    Rule(name="answers", sentence="It answers all inputs that the contract allows."),
    Rule(name="contract", sentence="Every answer keeps the contract."),
    Rule(name="examples", sentence="It answers the contract's examples within their tolerance."),
    Rule(name="batches", sentence="Inputs have the same answer alone and among others."),
    Rule(name="repeats", sentence="The same inputs have the same answer twice."),
    Rule(
        name="latency", sentence="Full batches leave time for the requests that wait behind them."
    ),
    Rule(name="memory", sentence="Its process keeps to its memory and does not grow."),
)
"""Every rule, in the order in which they are held. What can be overridden costs, at worst, a
request its answer: the guard holds every answer that a client is given against the contract."""

BY_NAME = {rule.name: rule for rule in RULES}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Inputs that broke a rule, as simple as they could be made, and what the model said."""

    inputs: Any
    said: str

    @classmethod
    def make(cls, inputs: Mapping[str, Any], said: str) -> Self:
        """Make one that is fit to be kept: short, however long the inputs are."""
        shown = {
            name: Fault.shorten(value) if isinstance(value, str) else value
            for name, value in inputs.items()
        }
        return cls(inputs=shown, said=said if len(said) <= SAID_MAX else said[:SAID_MAX] + "…")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one rule."""

    rule: str
    outcome: Result
    figure: str  # what was measured or counted, in words; or why it was not checked
    failures: tuple[Failure, ...] = ()

    @classmethod
    def held(cls, rule: str, figure: str) -> Self:
        """Make that of a rule that held."""
        return cls(rule=rule, outcome="held", figure=figure)

    @classmethod
    def broken(cls, rule: str, figure: str, failures: Sequence[Failure]) -> Self:
        """Make that of a rule that was broken; the first few failures are kept."""
        return cls(rule=rule, outcome="broken", figure=figure, failures=tuple(failures[:FAILURES]))

    @classmethod
    def unchecked(cls, rule: str, reason: str) -> Self:
        """Make that of a rule that could not be checked."""
        return cls(rule=rule, outcome="not checked", figure=reason)

    @property
    def sentence(self) -> str:
        """What the rule asks."""
        return BY_NAME[self.rule].sentence


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a verification found."""

    contract: str
    fingerprint: str  # of the contract that the model was held against
    examples: str = ""  # the fingerprint of that contract's golden examples
    at: datetime
    seconds: float
    findings: tuple[Finding, ...]
    loaded: Mapping[str, Any] = field(default_factory=dict)  # what was seen when it was loaded

    @property
    def passed(self) -> bool:
        """Whether every rule held."""
        return not self.obstacles

    @property
    def obstacles(self) -> tuple[str, ...]:
        """The rules that did not hold; one that could not be checked stands in the way, too."""
        held = {finding.rule for finding in self.findings if finding.outcome == "held"}
        return tuple(rule.name for rule in RULES if rule.name not in held)

    @property
    def broken(self) -> frozenset[str]:
        """The rules that were checked, and did not hold."""
        return frozenset(f.rule for f in self.findings if f.outcome == "broken")

    def told(self, obstacles: Sequence[str]) -> str:
        """Say of rules that did not hold which it broke, and which nobody checked."""
        parts = {
            "it broke": [rule for rule in obstacles if rule in self.broken],
            "not checked:": [rule for rule in obstacles if rule not in self.broken],
        }
        return "; ".join(f"{words} {', '.join(rules)}" for words, rules in parts.items() if rules)

    def in_spite_of(self, number: int, rule: str) -> str:
        """Say what it comes to that a rule is overridden, which was broken, or not even checked."""
        broken = f"it broke the rule {rule}"
        why = broken if rule in self.broken else f"the rule {rule} was not checked"
        return f"Release {number} may have traffic although {why}, until it is verified again."

    def document(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {**asdict(self), "at": self.at.isoformat(), "passed": self.passed}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` has written."""
        findings = tuple(
            Finding(**{**each, "failures": tuple(Failure(**one) for one in each["failures"])})
            for each in document["findings"]
        )
        return cls(
            contract=document["contract"],
            fingerprint=document["fingerprint"],
            examples=document.get("examples", ""),  # early reports do not say
            at=datetime.fromisoformat(document["at"]),
            seconds=document["seconds"],
            findings=findings,
            loaded=document["loaded"],
        )
