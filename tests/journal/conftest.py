"""An empty journal on each kind of database."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.fakes import FakeClock

from stopgap.journal.journal import Journal
from stopgap.storage.database import Database, open_database
from stopgap.storage.history import JOURNAL, migrate


@pytest.fixture
def journal_database(database_url: str) -> Iterator[Database]:
    """Give a new database of each kind that has the journal's tables and no rows."""
    with closing(open_database(database_url)) as opened:
        migrate(opened, JOURNAL)
        yield opened


@pytest.fixture
def journal(journal_database: Database, clock: FakeClock) -> Journal:
    """Give an empty journal."""
    return Journal(journal_database, clock)
