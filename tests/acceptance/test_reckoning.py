"""The reckoning notices whatever may become of an answer that somebody has."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.acceptance.load import Acknowledged
from tests.acceptance.reckoning import reckon
from tests.journal.filling import add
from tests.journal.records import record

from stopgap.journal.record import Record
from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, migrate

KEPT = [record(output=b"%d" % (2_000 + number)) for number in range(3)]


def told(one: Record, output: str | None = None) -> Acknowledged:
    """Make what its client was told, or something else."""
    return Acknowledged(one.id, output or one.output.decode())


@pytest.mark.parametrize(
    ("acknowledged", "fault"),
    [
        ([told(each) for each in KEPT], ""),
        ([*map(told, KEPT), told(record())], "1 lost"),
        ([told(KEPT[0]), told(KEPT[1]), told(KEPT[2], "4000")], "1 changed"),
        ([told(KEPT[0]), told(KEPT[1])], "1 in the journal of 0 unanswered"),
    ],
)
def test_what_holds(tmp_path: Path, acknowledged: list[Acknowledged], fault: str) -> None:
    """Each answer is there, as it was given, once, and no other."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    with closing(open_database(url)) as database:
        migrate(database, JOURNAL)
        add(database, KEPT)
    assert reckon(acknowledged, url).faults(broken=0) == ([fault] if fault else [])
