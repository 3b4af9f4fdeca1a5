"""The gate: no release is given traffic that has not shown that it keeps the contract."""

from collections.abc import Collection, Sequence

from stopgap.contracts.contract import Contract
from stopgap.errors import StopgapError
from stopgap.releases.move import Move
from stopgap.releases.verification.report import BY_NAME, Report


class ReleaseUnverified(StopgapError):
    """The release has not shown that it keeps the contract, so it is given no traffic."""

    def __init__(self, number: int, reason: str, refused: str = "is given no traffic") -> None:
        super().__init__(f"Release {number} {refused}: {reason}.")


class ReleaseSentBack(StopgapError):
    """The server has sent this canary back, and nobody has said why it may go on all the same."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"Release {number} was sent back, the last that was done to it: {reason}")


class RuleUnknown(StopgapError):
    """Verification has no rule of this name."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"There is no rule {rule!r:.100}; there are {', '.join(BY_NAME)}.")


class RuleFixed(StopgapError):
    """Nobody can override this rule."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"The rule {rule} cannot be overridden: {BY_NAME[rule].sentence}")


class RuleHeld(StopgapError):
    """There is nothing to override: the rule held."""

    def __init__(self, number: int, rule: str) -> None:
        super().__init__(f"The rule {rule} held for release {number}.")


class ReasonMissing(StopgapError):
    """A rule was to be overridden, but no reason was given."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"Say why the rule {rule} need not hold; it is kept with the release.")


NEVER_VERIFIED = "it was never verified"

VERIFICATION = "verification"
"""The figure of an override: the version of the verification whose report it is about."""


def overridden(moves: Sequence[Move], verified: int) -> tuple[str, ...]:
    """Name the rules that an operator has overridden of what one verification found.

    Args:
        moves: All that was done to the release, the latest first.
        verified: The version of that verification.
    """
    those = [each for each in moves if each.action == "overridden" and _is_of(each, verified)]
    return tuple(dict.fromkeys(each.rule for each in reversed(those)))


def _is_of(move: Move, verified: int) -> bool:
    """Tell whether an override is of a verification; early ones do not say of which they are."""
    named = (move.figures or {}).get(VERIFICATION)
    return move.version > verified if named is None else named == verified


def check_verified(
    number: int,
    report: Report | None,
    overridden: Collection[str],
    contract: Contract,
    *,
    again: bool = False,
) -> None:
    """Let a release through of which every rule held, or was overridden by an operator.

    Args:
        report: Of its last verification, if there was one.
        overridden: The rules that were overridden since.
        contract: As it is served today.
        again: Whether it has answered before; then other golden examples may have been asked.

    Raises:
        ReleaseUnverified: it is not let through.
    """
    report = _of_today(number, report, contract, again=again)
    if left := [rule for rule in report.obstacles if rule not in overridden]:
        raise ReleaseUnverified(number, report.told(left))


def _of_today(number: int, report: Report | None, contract: Contract, *, again: bool) -> Report:
    if report is None:
        raise ReleaseUnverified(number, NEVER_VERIFIED)
    if report.fingerprint != contract.fingerprint:
        reason = "the contract has changed since it was verified; verify it again"
        raise ReleaseUnverified(number, reason)
    if not again and report.examples != contract.examples_fingerprint:
        reason = "it was not asked today's golden examples; verify it again"
        raise ReleaseUnverified(number, reason, "cannot be promoted")  # where it is it may stay
    return report


def check_overridable(
    number: int, rule: str, report: Report | None, reason: str, contract: Contract
) -> Report:
    """Let an operator override only what can be, what did not hold, and for a reason.

    Returns:
        The report that says so.

    Raises:
        RuleUnknown: there is no such rule.
        RuleFixed: nobody can override it.
        ReleaseUnverified: the release was not verified for the contract as it is served today.
        RuleHeld: the rule held.
        ReasonMissing: nobody would know later why.
    """
    if rule not in BY_NAME:
        raise RuleUnknown(rule)
    if BY_NAME[rule].fixed:
        raise RuleFixed(rule)
    report = _of_today(number, report, contract, again=False)
    if rule not in report.obstacles:
        raise RuleHeld(number, rule)
    if not reason.strip():
        raise ReasonMissing(rule)
    return report
