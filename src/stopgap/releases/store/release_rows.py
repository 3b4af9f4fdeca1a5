"""Every statement about releases, how they stand, and what was done to them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from stopgap.models.specification import Specification
from stopgap.releases.move import Move
from stopgap.releases.release import Release
from stopgap.releases.stages import Change, Standing
from stopgap.releases.store.tables import MOVES, RELEASES, REPORTS, STANDINGS
from stopgap.storage.database import lock


@dataclass(frozen=True, kw_only=True)
class State:
    """How a contract's releases stand, and how often that has changed."""

    version: int = 0
    standing: Standing = field(default_factory=Standing)
    stand_in_fallback: bool = False


class ReleaseRows:
    """Every statement about the releases of one contract, in one transaction."""

    def __init__(self, connection: Connection, contract: str) -> None:
        self.connection = connection
        self.contract = contract

    def lock(self) -> None:
        """Let nobody else change the contract's releases until the end."""
        lock(self.connection, f"releases of {self.contract}")

    def releases(self) -> Sequence[Release]:
        """List all releases, the newest first."""
        mine = select(RELEASES).where(RELEASES.c.contract == self.contract)
        newest_first = mine.order_by(RELEASES.c.number.desc())
        return [_release(row) for row in self.connection.execute(newest_first)]

    def find(self, number: int) -> Release | None:
        """Find one release."""
        mine = RELEASES.c.contract == self.contract
        row = self.connection.execute(
            select(RELEASES).where(mine, RELEASES.c.number == number)
        ).one_or_none()
        return None if row is None else _release(row)

    def state(self) -> State:
        """Read how the releases stand."""
        mine = select(STANDINGS).where(STANDINGS.c.contract == self.contract)
        row = self.connection.execute(mine).one_or_none()
        if row is None:
            return State()
        columns = (RELEASES.c.number, RELEASES.c.stage, RELEASES.c.percent)
        rows = self.connection.execute(
            select(*columns).where(RELEASES.c.contract == self.contract)
        ).all()
        standing = Standing(
            stages={each.number: each.stage for each in rows},
            percents={each.number: each.percent for each in rows if each.stage == "canary"},
            before=tuple(json.loads(row.before)),
        )
        return State(
            version=row.version, standing=standing, stand_in_fallback=row.stand_in_fallback
        )

    def add(self, release: Release) -> None:
        """Add a release; `lock` first."""
        specification = json.dumps(release.specification and release.specification.document())
        row = asdict(release) | {"specification": specification}
        self.connection.execute(insert(RELEASES).values(row))

    def change(self, number: int, **columns: object) -> None:
        """Change some columns of a release."""
        mine = RELEASES.c.contract == self.contract
        self.connection.execute(
            update(RELEASES).where(mine, RELEASES.c.number == number).values(columns)
        )

    def specify(self, number: int, specification: Specification) -> None:
        """Keep another specification of a release."""
        self.change(number, specification=json.dumps(specification.document()))

    def apply(self, changes: Sequence[Change]) -> None:
        """Keep the new stages and shares; the stand-in's follows from the others'."""
        for each in changes:
            if each.number:
                share = {"sticky": each.sticky} if each.sticky else {}
                self.change(each.number, stage=each.now, percent=each.percent, **share)

    def save(self, state: State) -> None:
        """Keep a state's version, way back and fallback; `lock` first."""
        values = {
            "version": state.version,
            "before": json.dumps(state.standing.before),
            "stand_in_fallback": state.stand_in_fallback,
        }
        mine = update(STANDINGS).where(STANDINGS.c.contract == self.contract)
        if self.connection.execute(mine.values(values)).rowcount == 0:
            row = values | {"contract": self.contract}
            self.connection.execute(insert(STANDINGS).values(row))

    def record(self, moves: Sequence[Move]) -> None:
        """Put moves on record."""
        if moves:
            self.connection.execute(insert(MOVES), [asdict(each) for each in moves])

    def moves(self, number: int | None) -> Sequence[Move]:
        """List what was done, the latest first; to one release, or to all."""
        chosen = select(MOVES).where(MOVES.c.contract == self.contract)
        if number is not None:
            chosen = chosen.where(MOVES.c.number == number)
        latest_first = chosen.order_by(MOVES.c.version.desc(), MOVES.c.number.desc())
        return [Move(**row._asdict()) for row in self.connection.execute(latest_first)]

    def became_canary(self, number: int) -> tuple[datetime, str] | None:
        """Tell when a release last became a canary, and from what; a new share is no beginning."""
        mine = (MOVES.c.contract == self.contract, MOVES.c.number == number)
        became = (MOVES.c.now == "canary", MOVES.c.was != "canary")
        latest = select(MOVES.c.at, MOVES.c.was).where(*mine, *became)
        found = self.connection.execute(latest.order_by(MOVES.c.version.desc()).limit(1)).first()
        return (found.at, found.was) if found else None

    def add_report(self, number: int, version: int, report: Mapping[str, Any]) -> None:
        """Keep what a verification found."""
        row = {"contract": self.contract, "number": number, "version": version}
        self.connection.execute(
            insert(REPORTS).values(row | {"report": json.dumps(report, allow_nan=False)})
        )

    def reports(self, number: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Go through the reports on a release, each with its version, the newest first."""
        mine = select(REPORTS).where(REPORTS.c.contract == self.contract)
        newest_first = mine.where(REPORTS.c.number == number).order_by(REPORTS.c.version.desc())
        for row in self.connection.execute(newest_first):
            yield row.version, json.loads(row.report)


def version(connection: Connection) -> int:
    """Tell how often anything about any contract's releases has changed."""
    return int(connection.scalar(select(func.sum(STANDINGS.c.version))) or 0)


def live_releases(connection: Connection) -> Mapping[str, int]:
    """Tell each contract's live release, of whatever contract, but for those of the stand-in."""
    live = select(RELEASES.c.contract, RELEASES.c.number).where(RELEASES.c.stage == "live")
    return {row.contract: row.number for row in connection.execute(live)}


def needed_artifacts(connection: Connection) -> Iterator[str]:
    """Name the artifacts that some release may still have to load, of whatever contract."""
    for name in connection.scalars(select(RELEASES.c.contract).distinct()).all():
        rows = ReleaseRows(connection, name)
        before = rows.state().standing.before
        for each in rows.releases():
            if each.artifact and (each.stage != "retired" or each.number in before):
                yield each.artifact


def _release(row: Row[Any]) -> Release:
    specification = Specification.of(json.loads(row.specification))
    return Release(**row._asdict() | {"specification": specification})
