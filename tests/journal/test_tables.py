"""The journal's schema is what its migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from stopgap.journal.store.tables import metadata
from stopgap.storage.database import Database
from stopgap.storage.history import JOURNAL


def test_the_schema_is_the_tables(journal_database: Database) -> None:
    """The schema has the columns, types, indexes and keys that the store declares."""
    with journal_database.read() as connection:
        options = {"version_table": JOURNAL.version.name, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            key = found.get_pk_constraint(table.name)
            assert key["constrained_columns"] == [each.name for each in table.primary_key]
            assert key["name"] == table.primary_key.name
