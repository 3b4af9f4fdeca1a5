"""Every statement about what was counted of releases."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from stopgap.releases.store.tables import TALLIES
from stopgap.releases.tally import OUTCOMES, Tally, read_durations


class TallyRows:
    """What was counted of one contract's releases."""

    def __init__(self, connection: Connection, contract: str) -> None:
        self._connection = connection
        self._contract = contract

    def tallies(self, since: datetime, until: datetime) -> Mapping[int, Tally]:
        """Add up what each release did between two moments, durations left out."""
        sums = [func.sum(TALLIES.c[outcome]).label(outcome) for outcome in OUTCOMES]
        chosen = select(TALLIES.c.number, *sums).where(*self._tallied(since, until))
        rows = self._connection.execute(chosen.group_by(TALLIES.c.number)).all()
        return {
            row.number: Tally(contract=self._contract, number=row.number, outcomes=_outcomes(row))
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

    def drop(self, number: int) -> None:
        """Forget what was counted of a release."""
        mine = TALLIES.c.contract == self._contract
        self._connection.execute(delete(TALLIES).where(mine, TALLIES.c.number == number))

    def _tallied(self, since: datetime, until: datetime) -> tuple[Any, Any]:
        return TALLIES.c.contract == self._contract, TALLIES.c.at.between(since, until)


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
