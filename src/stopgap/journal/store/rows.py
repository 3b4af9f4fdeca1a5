"""Many rows at once, as fast as either database takes them."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Connection, Table, bindparam, func, select
from sqlalchemy.dialects import sqlite

from stopgap.storage import database

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

JOURNAL_LOCK = 0x6A_6F_75_72_6E_61_6C
"""PostgreSQL's advisory lock of who writes in the journal: `journal` in ASCII."""


def lock(connection: Connection) -> None:
    """Let nobody else write in the journal until the end."""
    database.lock(connection, JOURNAL_LOCK)


def add_rows(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, total: str = ""
) -> int:
    """Add rows, each with all columns in their order; tell how many were new.

    Rows that are there already stay as they are; only their `total` column, if one is named, grows
    by the new row's. On SQLite the driver is called without SQLAlchemy's work on each row, on
    PostgreSQL the columns are sent as arrays.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(_sqlite(table, total), list(rows)).rowcount
    columns = zip(table.c, zip(*rows, strict=True), strict=True)
    arrays = {f"all_{column.name}": list(values) for column, values in columns}
    return connection.execute(_postgresql(table, total), arrays).rowcount


@cache
def _sqlite(table: Table, total: str) -> str:
    adding = sqlite.insert(table)
    grown = {total: table.c[total] + adding.excluded[total]} if total else {}
    return str(
        (
            adding.on_conflict_do_update(index_elements=table.primary_key, set_=grown)
            if total
            else adding.on_conflict_do_nothing()
        ).compile(dialect=sqlite.dialect())
    )


@cache
def _postgresql(table: Table, total: str) -> "postgresql.Insert":
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # slow, and SQLite needs none of it

    arrays = [bindparam(f"all_{column.name}", type_=ARRAY(column.type)) for column in table.c]
    adding = postgresql.insert(table).from_select(
        [column.name for column in table.c], select(*map(func.unnest, arrays))
    )
    if not total:
        return adding.on_conflict_do_nothing()
    grown = {total: table.c[total] + adding.excluded[total]}
    return adding.on_conflict_do_update(index_elements=table.primary_key, set_=grown)
