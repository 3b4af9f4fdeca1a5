"""Every statement about why workers cannot ask releases."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from stopgap.releases.move import written
from stopgap.releases.store.tables import TROUBLES
from stopgap.releases.trouble import Trouble, Troubles


def keep_troubles(connection: Connection, worker: str, at: datetime, troubles: Troubles) -> None:
    """Keep what a worker cannot ask now, in place of what it told before."""
    connection.execute(delete(TROUBLES).where(TROUBLES.c.worker == worker))
    rows = [
        {"contract": contract, "number": number, "worker": worker, "at": at}
        | {"reason": written(reason)}
        for (contract, number), reason in troubles.items()
    ]
    if rows:
        connection.execute(insert(TROUBLES), rows)


def list_troubles(
    connection: Connection, contract: str, since: datetime, until: datetime
) -> Sequence[Trouble]:
    """List what workers have told between two moments of a contract's releases."""
    number, reason = TROUBLES.c.number, TROUBLES.c.reason
    chosen = (
        select(number, reason, func.count().label("workers"))
        .where(TROUBLES.c.contract == contract, TROUBLES.c.at.between(since, until))
        .group_by(number, reason)
        .order_by(number, reason)
    )
    return [
        Trouble(number=row.number, reason=row.reason, workers=row.workers)
        for row in connection.execute(chosen)
    ]


def delete_troubles(connection: Connection, before: datetime) -> int:
    """Delete what workers told before a moment; tell how many rows."""
    return connection.execute(delete(TROUBLES).where(TROUBLES.c.at < before)).rowcount
