"""The tables of releases, and all SQL on them."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from stopgap.models.specification import Specification
from stopgap.releases.move import Move
from stopgap.releases.moves import Change, Standing
from stopgap.releases.release import Release
from stopgap.releases.tally import OUTCOMES, Tally, read_durations
from stopgap.storage.database import Moment, lock, metadata

RELEASES = Table(
    "releases",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(16), nullable=False),
    Column("specification", Text, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("percent", Double, nullable=False),
    Column("sticky", String(10), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

STANDINGS = Table(
    "release_standings",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("before", Text, nullable=False),  # who was live before, as JSON
    Column("stand_in_fallback", Boolean, nullable=False),
)

MOVES = Table(
    "release_moves",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", String(20), nullable=False),
    Column("was", String(10)),
    Column("now", String(10)),
    Column("percent", Double, nullable=False),
    Column("rule", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("figures", JSON(none_as_null=True)),
)

REPORTS = Table(
    "release_reports",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("report", Text, nullable=False),
)

TALLIES = Table(
    "release_tallies",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("at", Moment, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(64), primary_key=True),
    *(Column(outcome, BigInteger, nullable=False) for outcome in OUTCOMES),
    Column("durations", Text, nullable=False),
)
"""Each worker adds rows of its own, so none waits for another."""

COMPARISONS = Table(
    "release_comparisons",
    metadata,
    Column("contract", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("against", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(64), primary_key=True),
    Column("comparison", Text, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class State:
    """How a contract's releases stand, and how often that has changed."""

    version: int = 0
    standing: Standing = field(default_factory=Standing)
    stand_in_fallback: bool = False


class ReleaseRows:
    """Every statement about the releases of one contract, in one transaction."""

    def __init__(self, connection: Connection, contract: str) -> None:
        self._connection = connection
        self.contract = contract

    def lock(self) -> None:
        """Let nobody else change the contract's releases until the end."""
        lock(self._connection, f"releases of {self.contract}")

    def releases(self) -> Sequence[Release]:
        """List all releases, the newest first."""
        mine = select(RELEASES).where(RELEASES.c.contract == self.contract)
        newest_first = mine.order_by(RELEASES.c.number.desc())
        return [_release(row) for row in self._connection.execute(newest_first)]

    def find(self, number: int) -> Release | None:
        """Find one release."""
        mine = RELEASES.c.contract == self.contract
        row = self._connection.execute(
            select(RELEASES).where(mine, RELEASES.c.number == number)
        ).one_or_none()
        return None if row is None else _release(row)

    def state(self) -> State:
        """Read how the releases stand."""
        mine = select(STANDINGS).where(STANDINGS.c.contract == self.contract)
        row = self._connection.execute(mine).one_or_none()
        if row is None:
            return State()
        columns = (RELEASES.c.number, RELEASES.c.stage, RELEASES.c.percent)
        rows = self._connection.execute(
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
        self._connection.execute(insert(RELEASES).values(row))

    def change(self, number: int, **columns: object) -> None:
        """Change some columns of a release."""
        mine = RELEASES.c.contract == self.contract
        self._connection.execute(
            update(RELEASES).where(mine, RELEASES.c.number == number).values(columns)
        )

    def specify(self, number: int, specification: Specification) -> None:
        """Keep another specification of a release."""
        self.change(number, specification=json.dumps(specification.document()))

    def apply(self, changes: Sequence[Change]) -> None:
        """Keep the new stages; the stand-in's follows from the others'."""
        for each in changes:
            if each.number:
                self.change(each.number, stage=each.now, percent=each.percent)

    def save(self, state: State) -> None:
        """Keep a state's version, way back and fallback; `lock` first."""
        values = {
            "version": state.version,
            "before": json.dumps(state.standing.before),
            "stand_in_fallback": state.stand_in_fallback,
        }
        mine = update(STANDINGS).where(STANDINGS.c.contract == self.contract)
        if self._connection.execute(mine.values(values)).rowcount == 0:
            row = values | {"contract": self.contract}
            self._connection.execute(insert(STANDINGS).values(row))

    def record(self, moves: Sequence[Move]) -> None:
        """Put moves on record."""
        if moves:
            self._connection.execute(insert(MOVES), [asdict(each) for each in moves])

    def moves(self, number: int | None = None) -> Sequence[Move]:
        """List what was done, the latest first; to one release, or to all."""
        chosen = select(MOVES).where(MOVES.c.contract == self.contract)
        if number is not None:
            chosen = chosen.where(MOVES.c.number == number)
        latest_first = chosen.order_by(MOVES.c.version.desc(), MOVES.c.number.desc())
        return [Move(**row._asdict()) for row in self._connection.execute(latest_first)]

    def canary_since(self, number: int) -> datetime | None:
        """Tell when a release last became a canary; a new percentage is no beginning."""
        mine = (MOVES.c.contract == self.contract, MOVES.c.number == number)
        became = (MOVES.c.now == "canary", MOVES.c.was != "canary")
        return self._connection.scalar(
            select(MOVES.c.at).where(*mine, *became).order_by(MOVES.c.version.desc()).limit(1)
        )

    def add_report(self, number: int, version: int, report: Mapping[str, Any]) -> None:
        """Keep what a verification found."""
        row = {"contract": self.contract, "number": number, "version": version}
        self._connection.execute(
            insert(REPORTS).values(row | {"report": json.dumps(report, allow_nan=False)})
        )

    def reports(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Go through the reports on a release, the newest first."""
        mine = select(REPORTS).where(REPORTS.c.contract == self.contract)
        newest_first = mine.where(REPORTS.c.number == number).order_by(REPORTS.c.version.desc())
        for row in self._connection.execute(newest_first):
            yield json.loads(row.report)

    def tallies(self, since: datetime, until: datetime) -> Mapping[int, Tally]:
        """Add up what each release did between two moments, durations left out."""
        sums = [func.sum(TALLIES.c[outcome]).label(outcome) for outcome in OUTCOMES]
        chosen = select(TALLIES.c.number, *sums).where(*self._tallied(since, until))
        rows = self._connection.execute(chosen.group_by(TALLIES.c.number)).all()
        return {
            row.number: Tally(contract=self.contract, number=row.number, outcomes=_outcomes(row))
            for row in rows
        }

    def durations(self, number: int, since: datetime, until: datetime) -> Counter[int]:
        """Add up how long a release's answers took between two moments."""
        between = self._tallied(since, until)
        mine = select(TALLIES.c.durations).where(*between, TALLIES.c.number == number)
        whole: Counter[int] = Counter()
        for text in self._connection.scalars(mine):
            whole.update(read_durations(text))
        return whole

    def _tallied(self, since: datetime, until: datetime) -> tuple[Any, Any]:
        return TALLIES.c.contract == self.contract, TALLIES.c.at.between(since, until)

    def keep_comparison(self, number: int, against: int, worker: str, text: str) -> None:
        """Keep what one worker has compared so far, in place of what it had."""
        key = {"number": number, "against": against, "worker": worker}
        mine = [COMPARISONS.c[name] == value for name, value in key.items()]
        kept = update(COMPARISONS).where(COMPARISONS.c.contract == self.contract, *mine)
        if self._connection.execute(kept.values(comparison=text)).rowcount == 0:
            row = key | {"contract": self.contract, "comparison": text}
            self._connection.execute(insert(COMPARISONS).values(row))

    def comparisons(self, number: int, against: int) -> Sequence[str]:
        """List what each worker has compared."""
        chosen = select(COMPARISONS.c.comparison).where(
            COMPARISONS.c.contract == self.contract,
            COMPARISONS.c.number == number,
            COMPARISONS.c.against == against,
        )
        return self._connection.scalars(chosen).all()

    def compared_with(self, number: int) -> Sequence[int]:
        """List the releases that a release was compared with."""
        mine = (COMPARISONS.c.contract == self.contract, COMPARISONS.c.number == number)
        other = COMPARISONS.c.against
        return self._connection.scalars(select(other).where(*mine).distinct().order_by(other)).all()

    def drop_comparisons(self, number: int) -> None:
        """Forget what was compared with a release."""
        mine = COMPARISONS.c.contract == self.contract
        self._connection.execute(delete(COMPARISONS).where(mine, COMPARISONS.c.number == number))


def version(connection: Connection) -> int:
    """Tell how often anything about any contract's releases has changed."""
    return int(connection.scalar(select(func.sum(STANDINGS.c.version))) or 0)


def needed_artifacts(connection: Connection) -> Iterator[str]:
    """Name the artifacts that some release may still have to load, of whatever contract."""
    for name in connection.scalars(select(RELEASES.c.contract).distinct()).all():
        rows = ReleaseRows(connection, name)
        before = rows.state().standing.before
        for each in rows.releases():
            if each.artifact and (each.stage != "retired" or each.number in before):
                yield each.artifact


def add_tallies(
    connection: Connection, worker: str, at: datetime, tallies: Collection[Tally]
) -> None:
    """Add what a worker has counted since it last did."""
    rows = [
        {"contract": each.contract, "number": each.number, "worker": worker, "at": at}
        | {outcome: each.outcomes[outcome] for outcome in OUTCOMES}
        | {"durations": each.written_durations()}
        for each in tallies
    ]
    if rows:
        connection.execute(insert(TALLIES), rows)


def delete_tallies(connection: Connection, before: datetime) -> int:
    """Delete what was counted before a moment; tell how many rows."""
    return connection.execute(delete(TALLIES).where(TALLIES.c.at < before)).rowcount


def _outcomes(row: Row[Any]) -> Counter[str]:
    return Counter({outcome: int(getattr(row, outcome)) for outcome in OUTCOMES})


def _release(row: Row[Any]) -> Release:
    specification = Specification.of(json.loads(row.specification))
    return Release(**row._asdict() | {"specification": specification})
