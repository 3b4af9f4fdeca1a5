"""Moving a release by a form: what an operator wants, what that would do, and doing it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from stopgap.problems import PageNotFound
from stopgap.releases.move import WORDS_MAX
from stopgap.releases.release import Stage, Sticky
from stopgap.releases.releases import Releases

STAGES: Mapping[str, Stage] = {
    "shadow": "shadow",
    "canary": "canary",
    "live": "live",
    "withdraw": "candidate",
    "retire": "retired",
}
"""What can be done with a release, and the stage that it has then."""

FALLBACKS: Mapping[str, bool] = {"fallback-stand-in": True, "fallback-nobody": False}
"""What can be said of the stand-in: whether it answers for a real model that cannot."""

OF_ALL = (*FALLBACKS, "rollback")
"""What is done with all releases of a contract, and with none of them in particular."""

ACTIONS = (*STAGES, "override", *OF_ALL)
STICKY: Mapping[str, Sticky] = {"caller": "caller", "inputs": "inputs"}
PERCENT = re.compile(r"[0-9]{1,3}([.,][0-9]{1,4})?")
NUMBER = re.compile(r"[0-9]{1,9}")  # what every database can look for


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an operator wants to be done."""

    contract: str
    action: str  # one of ACTIONS
    number: int  # of the release; 0 where it is one of OF_ALL
    percent: float | None
    sticky: Sticky | None
    rule: str
    reason: str

    @classmethod
    def of(cls, contract: str, values: Mapping[str, str]) -> Self:
        """Read what a form or an address says; a percentage that is no number is none.

        Raises:
            PageNotFound: that cannot be wanted.
        """
        action = values.get("action", "")
        if action not in ACTIONS:
            raise PageNotFound(f"What can be done with a release: {', '.join(ACTIONS)}.")
        percent = values.get("percent", "").strip().rstrip("%").rstrip()
        return cls(
            contract=contract,
            action=action,
            number=read_number(values.get("number", "0")),
            percent=float(percent.replace(",", ".")) if PERCENT.fullmatch(percent) else None,
            sticky=STICKY.get(values.get("sticky", "")),
            rule=values.get("rule", "")[:WORDS_MAX],
            reason=values.get("reason", "").strip()[:WORDS_MAX],
        )

    def share(self) -> float | None:
        """Tell the percentage of a canary; nothing else has one."""
        return self.percent if self.action == "canary" else None

    def values(self) -> Mapping[str, str]:
        """Write it as the confirmation's form sends it, the reason left to the operator."""
        known = {
            "action": self.action,
            "number": str(self.number),
            "percent": "" if self.share() is None else f"{self.percent:.9g}",
            "sticky": self.sticky or "",
            "rule": self.rule,
        }
        return {name: value for name, value in known.items() if value}

    def words(self, releases: Releases) -> Sequence[str]:
        """Tell what would happen, in a sentence each; raises what doing it would raise."""
        if self.action == "rollback":
            return [each.words() for each in releases.planned_rollback(self.contract)]
        if self.action in FALLBACKS:
            return [_failing(drawn=FALLBACKS[self.action])]
        if self.action == "override":
            why = self.reason or "still to be said"
            report = releases.planned_override(self.contract, self.number, self.rule, why)
            return [report.in_spite_of(self.number, self.rule)]
        planned = releases.planned(
            self.contract,
            self.number,
            stage=STAGES[self.action],
            percent=self.share(),
            sticky=self.sticky,
        )
        words = [each.words() for each in planned]
        if self.action == "retire":
            words.append("Nothing goes back to it, and its model's file is not kept: for good.")
        return words

    def grant(self, releases: Releases, by: str) -> None:
        """Do it, and put it on record."""
        contract, number, reason = self.contract, self.number, self.reason
        match self.action:
            case "rollback":
                releases.rollback(contract, by, reason)
            case "override":
                releases.override(contract, number, self.rule, by, reason)
            case "fallback-stand-in" | "fallback-nobody":
                allowed = FALLBACKS[self.action]
                releases.allow_stand_in(contract, by, allowed=allowed, reason=reason)
            case "withdraw":
                releases.withdraw(contract, number, by, reason)
            case "retire":
                releases.retire(contract, number, by, reason)
            case _:
                releases.promote(
                    contract,
                    number,
                    by,
                    stage=STAGES[self.action],
                    percent=self.share(),
                    sticky=self.sticky,
                    reason=reason,
                )


def _failing(*, drawn: bool) -> str:
    """Say what clients get where neither the live model nor the one before it can answer."""
    if drawn:
        return (
            "Where no real model can answer, the stand-in does: its answers are drawn, not "
            "predicted, and each says so in its header Stopgap-Release."
        )
    return "Where no real model can answer, clients get an error (503)."


def read_number(text: str) -> int:
    """Read a release's number.

    Raises:
        PageNotFound: it is none.
    """
    if not NUMBER.fullmatch(text):
        raise PageNotFound("Releases have numbers: 1, 2, 3; the stand-in has 0.")
    return int(text)
