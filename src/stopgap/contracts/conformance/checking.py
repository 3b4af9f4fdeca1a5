"""The check: every rule held in its order, each with its verdict."""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stopgap.contracts.conformance.answer_rules import ANSWER_RULES
from stopgap.contracts.conformance.calling import Server
from stopgap.contracts.conformance.contract_rules import good_rules, predictions_id
from stopgap.contracts.conformance.fault_rules import fault_rules
from stopgap.contracts.conformance.openapi_rule import openapi_rule
from stopgap.contracts.conformance.platform_rules import PLATFORM_RULES
from stopgap.contracts.conformance.visiting import (
    Broken,
    NotChecked,
    Rule,
    Visit,
    Visitor,
)
from stopgap.contracts.contract import Contract
from stopgap.errors import StartRefused


class Result(StrEnum):
    """What became of a rule."""

    HELD = "held"
    BROKEN = "broken"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one rule, and why."""

    rule: str
    sentence: str
    outcome: Result
    request: str | None = None  # what was asked when it broke
    expected: str | None = None
    came: str | None = None
    reason: str | None = None  # why it was not checked


class PredictionsNotAsked(StartRefused):
    """The server to check predicts only for accounts, and none was given; or it sets a limit."""

    def __init__(self, contract: str, reason: str | None) -> None:
        super().__init__(f"The predictions of {contract} were not all asked: {reason}.")


def expect_asked(contracts: Sequence[Contract], verdicts: Iterable[Verdict]) -> None:
    """See that each contract's predictions were asked; without them little has been checked.

    Raises:
        PredictionsNotAsked: those of one were not.
    """
    reasons = {v.rule: v.reason for v in verdicts if v.outcome is Result.NOT_CHECKED}
    for contract in contracts:
        if (rule := predictions_id(contract)) in reasons:
            raise PredictionsNotAsked(contract.name, reasons[rule])


def some_guest() -> Visitor:
    """Make up a visitor whom a server with guests welcomes."""
    return Visitor(
        username=f"guest-{secrets.token_hex(4)}",
        password=secrets.token_hex(4 + secrets.randbelow(8)),
        account=False,
    )


def rules_of(contracts: Sequence[Contract], predictions: int) -> tuple[Rule, ...]:
    """List every rule, in the order in which they are held."""
    of_contracts = [
        rule
        for contract in contracts
        for rule in (
            *good_rules(contract, predictions),
            *fault_rules(contract),
            openapi_rule(contract),
        )
    ]
    return (*PLATFORM_RULES, *of_contracts, *ANSWER_RULES)


def check(
    contracts: Sequence[Contract],
    server: Server,
    visitor: Visitor,
    *,
    source: random.Random,
    predictions: int = 300,
    progress: Callable[[int, int], None],
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Verdict]:
    """Hold a server against contracts; each rule's verdict comes as soon as it is found.

    Args:
        contracts: What it should serve; it may serve others beside them.
        server: Who is asked.
        visitor: Who asks.
        source: Where the inputs are drawn from.
        predictions: How many are asked of each contract, beside those of the single rules.
        progress: Told now and then how many of how many predictions were made.
        pause: Waits for some seconds, where the server limits what may be asked.

    Raises:
        ServerUnreachable: there is none.
        SampleNotFound: no inputs can be drawn for a contract.
    """
    server.reach()
    visit = Visit(server, visitor, source, progress, pause)
    try:
        for rule in rules_of(contracts, predictions):
            yield _hold(rule, visit)
    finally:
        visit.leave()
        server.close()


def _hold(rule: Rule, visit: Visit) -> Verdict:
    try:
        rule.hold(visit)
    except Broken as broken:
        return Verdict(
            rule=rule.id,
            sentence=rule.sentence,
            outcome=Result.BROKEN,
            request=str(broken.request) if broken.request else None,
            expected=broken.expected,
            came=visit.discreet(broken.came),
        )
    except NotChecked as reason:
        outcome = Result.NOT_CHECKED
        return Verdict(rule=rule.id, sentence=rule.sentence, outcome=outcome, reason=str(reason))
    return Verdict(rule=rule.id, sentence=rule.sentence, outcome=Result.HELD)
