"""Reckoning: what was acknowledged, held against what the journal has."""

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import text
from tests.acceptance.load import Acknowledged

from stopgap.storage.database import open_database

RECORDS = text("SELECT id, output FROM journal_records")
COUNTED = text("SELECT coalesce(sum(answers), 0) FROM journal_counts WHERE width = 60")


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """The figures; nothing is forgotten where `missing` is 0, nothing doubled where `twice` is.

    Records that nobody acknowledged are of requests whose answer did not arrive.
    """

    acknowledged: int
    lost: Collection[str] = field(repr=False)  # acknowledged, and not in the journal
    changed: int  # in the journal with another answer
    twice: int  # in the journal, or in its roll-ups, more often than once
    unacknowledged: int

    @property
    def missing(self) -> int:
        """How many are lost."""
        return len(self.lost)

    def faults(self, *, broken: int) -> list[str]:
        """Tell what does not hold.

        Args:
            broken: Requests whose answer may have been written and not have arrived.
        """
        wrong = {
            f"{self.missing} lost": self.missing > 0,
            f"{self.changed} changed": self.changed > 0,
            f"{self.twice} doubled": self.twice > 0,
            f"{self.unacknowledged} in the journal of {broken} unanswered": (
                self.unacknowledged > broken
            ),
            "nothing was acknowledged": self.acknowledged == 0,
        }
        return [words for words, is_so in wrong.items() if is_so]


def reckon(acknowledged: Sequence[Acknowledged], journal_url: str) -> Reckoning:
    """Compare what clients were told with what is in the journal's database."""
    missing, once = dict(acknowledged), set[str]()
    assert len(missing) == len(acknowledged), "two answers had one id"
    rows = changed = unacknowledged = 0
    with closing(open_database(journal_url)) as database, database.read() as connection:
        for record_id, output in connection.execution_options(yield_per=10_000).execute(RECORDS):
            rows += 1
            if record_id in missing:
                changed += missing.pop(record_id) != output
            elif record_id not in once:
                unacknowledged += 1
            once.add(record_id)
        counted = connection.scalar(COUNTED)
    return Reckoning(
        acknowledged=len(acknowledged),
        lost=missing,
        changed=changed,
        twice=(rows - len(once)) + abs(int(counted or 0) - rows),
        unacknowledged=unacknowledged,
    )
