"""Several histories: each has its tables and its version, in one database or in two."""

import re
from contextlib import closing
from importlib.resources import files

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from tests.databases import tables

from stopgap.journal.store.tables import metadata as journal_tables
from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, MAIN, DatabaseForeign, DatabaseNewer, History, migrate

BOTH = pytest.mark.parametrize("order", [(MAIN, JOURNAL), (JOURNAL, MAIN)], ids=["main", "journal"])


@pytest.mark.parametrize("history", [MAIN, JOURNAL], ids=["main", "journal"])
def test_the_newest_script_is_the_head(history: History) -> None:
    """The constant that spares a start from loading Alembic names the newest script."""
    folder = files("stopgap.storage") / "migrations"
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder / history.folder)])
    assert scripts.get_heads() == [history.head]
    assert all(re.fullmatch(r"\d{4}", script.revision) for script in scripts.walk_revisions())


@BOTH
def test_histories_share_a_database(order: tuple[History, History], database_url: str) -> None:
    """Both histories can be made in one database, in either order, and again."""
    with closing(open_database(database_url)) as database:
        for history in (*order, *order):
            migrate(database, history)
        assert {"accounts", "journal_records"} | {h.version.name for h in order} < tables(database)


def test_a_journal_of_its_own(database_url: str) -> None:
    """A database of the journal alone has no table of anything else."""
    with closing(open_database(database_url)) as database:
        migrate(database, JOURNAL)
        assert tables(database) == {*journal_tables.tables, JOURNAL.version.name}


@BOTH
def test_tables_of_others_are_left_alone(order: tuple[History, History], database_url: str) -> None:
    """A database that somebody else uses is refused for the journal as for the rest."""
    with closing(open_database(database_url)) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE customers (name VARCHAR(10))"))
        with pytest.raises(DatabaseForeign, match=r"customers"):
            migrate(database, order[0])
        assert tables(database) == {"customers"}


def test_a_newer_journal_is_left_alone(database_url: str) -> None:
    """A newer Stopgap's journal is refused, also where the rest is as old as we are."""
    with closing(open_database(database_url)) as database:
        for history in (MAIN, JOURNAL):
            migrate(database, history)
        with database.write() as connection:
            connection.execute(JOURNAL.version.update().values(version_num="9001"))
        migrate(database, MAIN)
        with pytest.raises(DatabaseNewer, match=r"9001"):
            migrate(database, JOURNAL)
