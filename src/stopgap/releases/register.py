"""One contract's releases, in one transaction: found, let through the gate, and moved on record."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from stopgap.contracts.contract import Contract
from stopgap.models.specification import Specification
from stopgap.releases import stages
from stopgap.releases.gate import (
    VERIFICATION,
    ReleaseUnverified,
    check_overridable,
    check_verified,
    overridden,
)
from stopgap.releases.move import Cause, Move, written
from stopgap.releases.release import (
    ON_DUTY,
    STAND_IN_NUMBER,
    Release,
    ReleaseNotFound,
    Stage,
    Sticky,
    stand_in_release,
)
from stopgap.releases.stages import HUNDRED, Change, Standing
from stopgap.releases.store import ComparisonRows, ReleaseRows, State, TallyRows
from stopgap.releases.verification.report import Report


class Verification(NamedTuple):
    """What the last verification of a release found, if there was one."""

    report: Report | None
    overridden: Sequence[str]  # the rules that it broke and an operator overrode since


class Register:
    """How the releases of a contract stand, and how they may; every change with who made it.

    Args:
        rows: Of the contract; locked, where anything is changed.
        now: When the changes are made.
    """

    def __init__(self, rows: ReleaseRows, contract: Contract, now: datetime) -> None:
        self.rows = rows
        self.state = rows.state()
        self._contract = contract
        self._now = now

    @property
    def standing(self) -> Standing:
        """How the releases stand."""
        return self.state.standing

    def stand_in(self) -> Release:
        """Give release 0, which has no row."""
        stage = self.standing.stage_of(STAND_IN_NUMBER)
        return stand_in_release(self._contract.name, self._contract.fingerprint, stage)

    def find(self, number: int, *, real: bool = False) -> Release:
        """Find a release; a real one, if that is asked for.

        Raises:
            ReleaseNotFound: there is none of this number.
        """
        if number == STAND_IN_NUMBER and not real:
            return self.stand_in()
        if (found := self.rows.find(number)) is None:
            raise ReleaseNotFound(self._contract.name, number)
        return self._as_served(found)

    def releases(self) -> Sequence[Release]:
        """List all releases, the newest first and the stand-in last."""
        return (*map(self._as_served, self.rows.releases()), self.stand_in())

    def verification(self, number: int) -> Verification:
        """Tell what the last verification of a release found, and what was overridden of that.

        Preferably for the contract as it is served here, with its golden examples. A command that
        knows it as it will be after the next start may verify a release for that, while this
        server goes on as it is.
        """
        at, report = self._verified(number)
        return Verification(report, overridden(self.rows.moves(number), at) if report else ())

    def _verified(self, number: int) -> tuple[int, Report | None]:
        """Tell at which version a release was verified, and what was found; 0: it never was."""
        served, found = self._contract, dict[int, tuple[int, Report]]()
        for at, document in self.rows.reports(number):
            report = Report.of(document)
            of_served = report.fingerprint == served.fingerprint
            of_today = of_served and report.examples == served.examples_fingerprint
            found.setdefault(of_served + of_today, (at, report))
            if of_today:
                break
        return found[max(found)] if found else (0, None)

    def promoted(
        self, number: int, stage: Stage, percent: float | None, sticky: Sticky | None
    ) -> tuple[Standing, Sequence[Change]]:
        """Tell how all would stand with a release sent forward, and what that does to each.

        Args:
            sticky: Whose share a canary's is; None: as before.

        Raises:
            ReleaseNotFound: there is none of this number.
            MoveNotAllowed: it cannot go there from where it is.
            PercentageInvalid: the percentage is none of a canary.
            ReleaseUnverified: the gate is closed to it.
        """
        was = self.find(number)
        after = stages.promoted(self.standing, number, stage, percent)
        least = stage == "shadow" or after.percents.get(number, HUNDRED) <= was.percent
        self._check_verified(number, again=was.stage == "canary" and least)
        other = None if sticky == was.sticky else sticky
        return after, stages.promotion_changes(self.standing, after, number, other)

    def rolled_back(self) -> Standing:
        """Tell how all would stand with the release live that was so before.

        Raises:
            NothingBefore: none was.
            ReleaseUnverified: the gate is closed to it by now.
        """
        after = stages.rolled_back(self.standing, self._contract.name)
        self._check_verified(after.live, again=True)
        return after

    def move(
        self, after: Standing, cause: Cause, changed: Sequence[Change] | None = None
    ) -> Sequence[Change]:
        """Keep a new standing, and each release's change on record; None: those that it makes."""
        changed = stages.changes(self.standing, after) if changed is None else changed
        let_through = [self.find(each.number) for each in changed if each.now in ON_DUTY]
        self.rows.apply(changed)
        for release in let_through:
            self._keep_file(release)
        at = self._next(replace(self.state, standing=after))
        self.rows.record(
            [
                replace(
                    self._done(at, replace(cause, reason=each.reason(cause.reason)), each.number),
                    was=each.was,
                    now=each.now,
                    percent=each.percent,
                )
                for each in changed
            ]
        )
        return changed

    def record(self, number: int, cause: Cause, state: State | None = None) -> int:
        """Put on record what changes no release's stage; tell the new version."""
        at = self._next(state or self.state)
        self.rows.record([self._done(at, cause, number)])
        return at

    def overridable(self, number: int, rule: str, reason: str) -> Report:
        """Find the report of which a rule may be overridden.

        Raises:
            StopgapError: there is none, or it may not be: `check_overridable` says why.
        """
        self.find(number, real=True)
        _, report = self._verified(number)
        return check_overridable(number, rule, report, reason, self._contract)

    def override(self, number: int, cause: Cause) -> int:
        """Put on record that a rule need not hold of what the last verification found."""
        at, _ = self._verified(number)
        return self.record(number, replace(cause, figures={VERIFICATION: at}))

    def _as_served(self, release: Release) -> Release:
        """Give a release that may be asked the contract's fingerprint, if it has passed for that.

        To have been verified for it is not enough: that may have failed. One with traffic also gets
        the hash of the Python file that has passed for this contract: a later verification, for
        tomorrow's contract, may have seen another file.
        """
        served, has_traffic = self._contract.fingerprint, release.stage in ON_DUTY
        if not has_traffic and release.number not in self.standing.before:
            return release
        passed, specification = self._last_passed(release.number), release.specification
        if passed is None:
            return replace(release, fingerprint="") if release.fingerprint == served else release
        if specification and has_traffic:
            specification = _seen(specification, passed)
        return replace(release, fingerprint=served, specification=specification)

    def _last_passed(self, number: int) -> Report | None:
        """Find the last report by which a release may have traffic for the contract as served."""
        done = self.rows.moves(number)
        for at, document in self.rows.reports(number):
            report = Report.of(document)
            with suppress(ReleaseUnverified):
                check_verified(number, report, overridden(done, at), self._contract, again=True)
                return report
        return None

    def _check_verified(self, number: int, *, again: bool = False) -> None:
        if number != STAND_IN_NUMBER:
            check_verified(number, *self.verification(number), self._contract, again=again)

    def let_through(self, was: Release) -> None:
        """Let a release that has traffic be loaded from its Python file as it was just verified.

        Where the gate is closed to it the old hash stays, so that a changed file is not loaded.

        Args:
            was: The release before that.
        """
        if was.stage in ON_DUTY:
            with suppress(ReleaseUnverified):
                self._check_verified(was.number)
                self._keep_file(was)

    def _keep_file(self, was: Release) -> None:
        """Keep the hash of the Python file that is let through; workers load a changed one anew.

        What was counted and compared of another file says nothing of this one. It stays where this
        is the first file for the next contract: the server of today's goes on with the other.
        """
        served = self._contract.fingerprint
        number, specification = was.number, was.specification
        _, report = self._verified(number)
        if specification and report:
            seen = _seen(specification, report)
            self.rows.specify(number, seen)
            if seen != specification and (was.stage not in ON_DUTY or was.fingerprint == served):
                ComparisonRows(self.rows.connection, self._contract.name).drop_either(number)
                TallyRows(self.rows.connection, self._contract.name).drop(number)

    def _next(self, state: State) -> int:
        self.state = replace(state, version=state.version + 1)
        self.rows.save(self.state)
        return self.state.version

    def _done(self, at: int, cause: Cause, number: int) -> Move:
        return Move(
            contract=self._contract.name,
            version=at,
            number=number,
            at=self._now,
            by=written(cause.by),
            action=cause.action,
            rule=cause.rule,
            reason=written(cause.reason),
            figures=cause.figures,
        )


def _seen(specification: Specification, report: Report) -> Specification:
    """Have a model be loaded from the Python file, if it is one, that a verification has seen."""
    if specification.artifact is not None:
        return specification
    return replace(specification, file_hash=report.loaded.get("file_hash"))
