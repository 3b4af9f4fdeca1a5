"""The releases of the served contracts: added, verified, moved, and judged; all of it on record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.models.loaded import is_changed
from stopgap.models.presence import check_paths
from stopgap.models.specification import Specification
from stopgap.releases import stages
from stopgap.releases.gate import ReleaseUnverified
from stopgap.releases.move import Cause, Move, written
from stopgap.releases.register import Register, Verification
from stopgap.releases.release import STAND_IN_NUMBER, ContractNotServed, Release, Stage, Sticky
from stopgap.releases.routing import Routing
from stopgap.releases.stages import Change, NothingBefore, Standing, StandingChanged
from stopgap.releases.store import (
    ComparisonRows,
    ReleaseRows,
    live_releases,
    needed_artifacts,
    version,
)
from stopgap.releases.verification.report import Report
from stopgap.storage.database import Database

SERVER = "the server"
"""Who did what nobody told it to do."""


class Releases:
    """Every release of every contract that is served here.

    Args:
        contracts: Those that are served; a release is of one of them.
        seen: The version of a contract's standing that every change is meant for; None: any.
        fetch: Finds a model's file, whole, or raises ModelUnloadable; None: no file is looked at.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        contracts: Sequence[Contract],
        *,
        seen: int | None = None,
        fetch: Callable[[str], object] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._contracts = {each.name: each for each in contracts}
        self._seen = seen
        self._fetch = fetch

    def as_seen(self, version: int) -> "Releases":
        """Give the same releases, to whoever decides by how they stood at a version.

        Every change raises StandingChanged where another was made since.
        """
        contracts = [*self._contracts.values()]
        return Releases(self._database, self._clock, contracts, seen=version, fetch=self._fetch)

    def version(self) -> int:
        """Tell a number that goes up whenever something changes: what workers ask all the time."""
        with self._database.read() as connection:
            return version(connection)

    def list(self, contract: str) -> Sequence[Release]:
        """List all releases, the newest first and the stand-in last."""
        with self._reading(contract) as register:
            return register.releases()

    def show(self, contract: str, number: int) -> Release:
        """Find one release.

        Raises:
            ReleaseNotFound: there is none of this number.
        """
        with self._reading(contract) as register:
            return register.find(number)

    def routing(self, contract: str) -> Routing:
        """Tell who answers for a contract."""
        with self._reading(contract) as register:
            state, standing, find = register.state, register.standing, register.find
            return Routing(
                contract=contract,
                version=state.version,
                live=find(standing.live),
                canary=None if standing.canary is None else find(standing.canary),
                shadows=tuple(find(number) for number in standing.at("shadow")),
                previous=None if standing.previous is None else find(standing.previous),
                stand_in_fallback=state.stand_in_fallback,
            )

    def verification(self, contract: str, number: int) -> Verification:
        """Tell what the last verification of a release found, and what was overridden of that."""
        (found,) = self.verifications(contract, [number])
        return found

    def verifications(self, contract: str, numbers: Iterable[int]) -> Sequence[Verification]:
        """Tell that of several releases."""
        with self._reading(contract) as register:
            return [register.verification(register.find(number).number) for number in numbers]

    def moves(self, contract: str, number: int | None = None) -> Sequence[Move]:
        """List who did what and when, the latest first; to one release, or to all."""
        with self._reading(contract) as register:
            return register.rows.moves(number)

    def needed(self) -> frozenset[str]:
        """Name the artifacts that some release may still have to load, of whatever contract."""
        with self._database.read() as connection:
            return frozenset(needed_artifacts(connection))

    def left_behind(self) -> Mapping[str, int]:
        """Tell the live releases of contracts that are not served, where the stand-in answers.

        The contract that it answers for may be one of those, by another name.
        """
        with self._database.read() as connection:
            live = live_releases(connection)
        if live.keys() >= self._contracts.keys():
            return {}
        return {name: number for name, number in live.items() if name not in self._contracts}

    def add(self, contract: str, specification: Specification, by: str, note: str = "") -> Release:
        """Add a release as a candidate, under the next number."""
        with self._changing(contract) as register:
            release = Release(
                contract=contract,
                number=max(register.standing.stages, default=STAND_IN_NUMBER) + 1,
                fingerprint=self._contract(contract).fingerprint,
                specification=specification,
                stage="candidate",
                created_at=self._clock.now(),
                created_by=written(by),
                note=written(note),
            )
            register.rows.add(release)
            register.record(release.number, Cause(by=by, action="added", reason=note))
        return release

    def keep_report(self, contract: str, number: int, report: Report, by: str) -> None:
        """Keep what a verification found; what was overridden before has to be so again.

        Raises:
            ReleaseNotFound: there is none of this number.
        """
        reason = report.told(report.obstacles) or "every rule held"
        with self._changing(contract) as register:
            was = register.find(number, real=True)
            at = register.record(number, Cause(by=by, action="verified", reason=reason))
            register.rows.add_report(number, at, report.document())
            register.rows.change(number, fingerprint=report.fingerprint)
            register.let_through(was)

    def override(self, contract: str, number: int, rule: str, by: str, reason: str) -> Report:
        """Let a release have traffic although a rule did not hold, until it is verified again.

        Returns:
            What its last verification found. Who overrode it, and why, is on record.

        Raises:
            RuleUnknown: there is no such rule.
            RuleFixed: nobody can override it.
            RuleHeld: there is nothing to override.
            ReleaseUnverified: it has not been verified for the contract as it is served.
            ReasonMissing: nobody would know later why.
        """
        with self._changing(contract) as register:
            was, report = register.find(number), register.overridable(number, rule, reason)
            register.override(number, Cause(by=by, action="overridden", rule=rule, reason=reason))
            register.let_through(was)
        return report

    def planned_override(self, contract: str, number: int, rule: str, reason: str) -> Report:
        """Find the report of which a rule would be overridden; it raises as doing it would."""
        with self._reading(contract) as register:
            return register.overridable(number, rule, reason)

    def possible(self, contract: str, number: int) -> frozenset[Stage]:
        """List the stages to which a release can be sent, once it is verified and its file whole.

        Raises:
            ReleaseNotFound: there is none of this number.
        """
        with self._reading(contract) as register:
            register.find(number)
            return stages.possible(register.standing, number)

    def planned(
        self,
        contract: str,
        number: int,
        *,
        stage: Stage = "live",
        percent: float | None = None,
        sticky: Sticky | None = None,
    ) -> Sequence[Change]:
        """Tell what sending a release to a stage would do to each, without doing it.

        To candidate is a withdrawal, to retired a retirement; it raises as they would.
        """
        with self._reading(contract) as register:
            standing = register.standing
            if stage in stages.ENDS:
                register.find(number)
                return stages.changes(standing, stages.ENDS[stage](standing, number))
            _, planned = register.promoted(number, stage, percent, sticky)
        self._see_whole(contract, number)
        return planned

    def promote(
        self,
        contract: str,
        number: int,
        by: str,
        *,
        stage: Stage = "live",
        percent: float | None = None,
        sticky: Sticky | None = None,
        reason: str = "",
    ) -> Sequence[Change]:
        """Send a release forward: to shadow, to canary with a percentage, or to live.

        Args:
            percent: Of the requests, for a canary: above 0 and below 100.
            sticky: Whose share a canary's is; None: as before.

        Raises:
            ReleaseNotFound: there is none of this number.
            ReleaseUnverified: it has not passed verification for the contract as it is served.
            ModelUnloadable: its Python is gone, or its file not there, not kept, or not whole.
            MoveNotAllowed: it cannot go there from where it is.
            PercentageInvalid: the percentage is none of a canary.
        """
        self._see_whole(contract, number)
        with self._changing(contract) as register:
            after, changed = register.promoted(number, stage, percent, sticky)
            return register.move(after, Cause(by=by, action="promoted", reason=reason), changed)

    def withdraw(self, contract: str, number: int, by: str, reason: str = "") -> Sequence[Change]:
        """Take a shadow or canary off the traffic.

        Raises:
            MoveNotAllowed: it is neither.
        """
        with self._changing(contract) as register:
            register.find(number)
            after = stages.withdrawn(register.standing, number)
            return register.move(after, Cause(by=by, action="withdrawn", reason=reason))

    def can_go_back(self, contract: str) -> bool:
        """Tell whether a release was live before, and may be again; its file is not looked at."""
        with self._reading(contract) as register:
            try:
                register.rolled_back()
            except (NothingBefore, ReleaseUnverified):
                return False
        return True

    def planned_rollback(self, contract: str) -> Sequence[Change]:
        """Tell what going back would do to each release, without doing it; raises as it would."""
        return stages.changes(*self._before_and_after(contract))

    def rollback(self, contract: str, by: str, reason: str = "") -> Sequence[Change]:
        """Make the release live that was live before; once more, and it is the one before that.

        Raises:
            NothingBefore: nothing was.
            ReleaseUnverified: what was live then has not been verified for the contract of today.
            ModelUnloadable: its Python is gone, or its file not there, not kept, or not whole.
            StandingChanged: somebody else has moved something meanwhile.
        """
        _, planned = self._before_and_after(contract)
        with self._changing(contract) as register:
            after = register.rolled_back()
            if after.live != planned.live:  # whose file nobody has seen
                raise StandingChanged(contract)
            return register.move(after, Cause(by=by, action="rolled back", reason=reason))

    def send_back(
        self, contract: str, number: int, reason: str, figures: Mapping[str, float] | None = None
    ) -> bool:
        """Take a canary off that does badly; tell whether it was still the canary.

        Of several workers that judge alike, one does it.
        """
        cause = Cause(by=SERVER, action="sent back", reason=reason, figures=figures)
        with self._changing(contract) as register:
            if register.standing.canary != number:
                return False
            after = stages.withdrawn(register.standing, number)
            register.move(after, cause)
        return True

    def retire(self, contract: str, number: int, by: str, reason: str = "") -> Sequence[Change]:
        """Put a release away for good; its model's file is not kept any longer.

        Raises:
            MoveNotAllowed: it is live.
        """
        with self._changing(contract) as register:
            register.find(number)
            after = stages.retired(register.standing, number)
            ComparisonRows(register.rows.connection, contract).drop(number)
            return register.move(after, Cause(by=by, action="retired", reason=reason))

    def allow_stand_in(self, contract: str, by: str, *, allowed: bool, reason: str = "") -> None:
        """Say whether the stand-in may answer for a real model that cannot."""
        told = f"the stand-in may{'' if allowed else ' not'} answer for a failed model"
        cause = Cause(by=by, action="fallback", reason=f"{told}. {reason}".rstrip())
        with self._changing(contract) as register:
            state = replace(register.state, stand_in_fallback=allowed)
            register.record(STAND_IN_NUMBER, cause, state)

    @contextmanager
    def _reading(self, contract: str) -> Iterator[Register]:
        served = self._contract(contract)
        with self._database.read() as connection:
            yield self._register(ReleaseRows(connection, contract), served)

    @contextmanager
    def _changing(self, contract: str) -> Iterator[Register]:
        served = self._contract(contract)
        with self._database.write() as connection:
            rows = ReleaseRows(connection, contract)
            rows.lock()
            yield self._register(rows, served)

    def _register(self, rows: ReleaseRows, contract: Contract) -> Register:
        register = Register(rows, contract, self._clock.now())
        if self._seen is not None and register.state.version != self._seen:
            raise StandingChanged(contract.name)
        return register

    def _contract(self, name: str) -> Contract:
        if name not in self._contracts:
            raise ContractNotServed(name, self._contracts)
        return self._contracts[name]

    def _before_and_after(self, contract: str) -> tuple[Standing, Standing]:
        """Tell how all stand, and how they would after going back to a release that is whole."""
        with self._reading(contract) as register:
            standing, after = register.standing, register.rolled_back()
        self._see_whole(contract, after.live)
        return standing, after

    def _see_whole(self, contract: str, number: int) -> None:
        """See that a model's Python and file are here; large ones take seconds, and nobody's turn.

        Raises:
            ReleaseNotFound: there is none of this number.
            ReleaseUnverified: its Python file is another than the one that was verified.
            ModelUnloadable: its Python is gone, or its file not there, not kept, or not whole.
        """
        with self._reading(contract) as register:
            release, (report, _) = register.find(number), register.verification(number)
        if release.specification:
            check_paths(release.specification)
        if release.specification and report:
            uri, verified = release.specification.uri, report.loaded.get("file_hash")
            if is_changed(uri, verified):
                reason = f"{uri} has changed since it was verified; verify it again"
                raise ReleaseUnverified(number, reason)
        if self._fetch and release.artifact:
            self._fetch(release.artifact)
