"""Names that many records share, each kept once under a number."""

from sqlalchemy import Connection, select

from stopgap.journal.record import Record
from stopgap.journal.store.rows import add_rows
from stopgap.journal.store.tables import FIELDS, SOURCES

SOURCE, CALLER, MICROS = 0, 1, 2
"""Fields that every contract has: where from, who asked, how long it took."""

FIRST_FIELD = 16
"""Number of the first field that a contract brings."""


def field_numbers(connection: Connection) -> list[int]:
    """List the numbers of all fields that records may have."""
    return [*range(FIRST_FIELD), *connection.scalars(select(FIELDS.c.id))]


class Names:
    """The numbers of sources and fields; whoever adds some holds the journal's lock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sources: dict[tuple[str, str, str], int] = {
            (row.contract, row.fingerprint, row.release): row.id
            for row in connection.execute(select(SOURCES))
        }
        self._fields: dict[tuple[str, str, str], int] = {
            (row.contract, row.part, row.name): row.id for row in connection.execute(select(FIELDS))
        }
        self._kept = len(self._sources), len(self._fields)

    def source(self, record: Record) -> int:
        """Tell the number of a record's contract and release; a new one is given the next."""
        name = (record.contract, record.fingerprint, record.release)
        return self._sources.setdefault(name, len(self._sources))

    def field(self, contract: str, part: str, name: str) -> int:
        """Tell the number of a field; a new one is given the next."""
        return self._fields.setdefault((contract, part, name), FIRST_FIELD + len(self._fields))

    def save(self) -> None:
        """Keep the new ones."""
        sources, fields = self._kept
        new_sources = [(number, *name) for name, number in self._sources.items()][sources:]
        new_fields = [(number, *name) for name, number in self._fields.items()][fields:]
        add_rows(self._connection, SOURCES, new_sources)
        add_rows(self._connection, FIELDS, new_fields)
