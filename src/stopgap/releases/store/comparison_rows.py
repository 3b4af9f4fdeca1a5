"""Every statement about what was compared of releases."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, or_, select, update

from stopgap.releases.store.tables import COMPARISONS


class ComparisonRows:
    """What workers have compared of one contract's releases."""

    def __init__(self, connection: Connection, contract: str) -> None:
        self._connection = connection
        self.contract = contract

    def keep(self, number: int, against: int, worker: str, text: str) -> None:
        """Keep what one worker has compared so far, in place of what it had."""
        key = {"number": number, "against": against, "worker": worker}
        mine = [COMPARISONS.c[name] == value for name, value in key.items()]
        kept = update(COMPARISONS).where(COMPARISONS.c.contract == self.contract, *mine)
        if self._connection.execute(kept.values(comparison=text)).rowcount == 0:
            row = key | {"contract": self.contract, "comparison": text}
            self._connection.execute(insert(COMPARISONS).values(row))

    def list(self, number: int, against: int) -> Sequence[str]:
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

    def take_back(self, number: int, against: int, worker: str) -> None:
        """Forget what one worker has compared so far."""
        key = {"contract": self.contract, "number": number, "against": against, "worker": worker}
        mine = [COMPARISONS.c[name] == value for name, value in key.items()]
        self._connection.execute(delete(COMPARISONS).where(*mine))

    def drop_either(self, number: int) -> None:
        """Forget what was compared with a release, and the others that were with its answers."""
        either = or_(COMPARISONS.c.number == number, COMPARISONS.c.against == number)
        mine = COMPARISONS.c.contract == self.contract
        self._connection.execute(delete(COMPARISONS).where(mine, either))

    def drop(self, *numbers: int) -> int:
        """Forget what was compared with some releases; tell how many rows."""
        mine = (COMPARISONS.c.contract == self.contract, COMPARISONS.c.number.in_(numbers))
        return self._connection.execute(delete(COMPARISONS).where(*mine)).rowcount
