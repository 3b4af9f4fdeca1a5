"""Figures that were written behind a reason, by the first releases of Stopgap, get their column."""

from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import select, text

from stopgap.releases.move import Action, Move
from stopgap.releases.store import ReleaseRows
from stopgap.releases.store.tables import MOVES
from stopgap.storage.database import open_database
from stopgap.storage.history import migrate

FIGURES = {"failures": 4, "chance": 1e-16}
OLD: list[tuple[Action, str]] = [
    ("sent back", '4 of 9 had no answer. {"failures": 4, "chance": 1e-16}'),
    ("sent back", "In words alone."),
    ("sent back", 'Cut off: {"failures": 4, "cha'),
    ("sent back", "Three {x}"),
    ("sent back", 'Four {"x": NaN}'),
    ("promoted", 'so {"it": "is"}'),
]


def test_figures_get_their_column(database_url: str) -> None:
    """What the server judged by is moved; what people have written stays as it is."""
    with closing(open_database(database_url)) as database:
        migrate(database)
        with database.write() as connection:
            moves = [
                Move(
                    contract="madcompany",
                    version=version,
                    number=1,
                    at=datetime(2030, 1, 1, tzinfo=UTC),
                    by="the server",
                    action=action,
                    reason=reason,
                )
                for version, (action, reason) in enumerate(OLD)
            ]
            ReleaseRows(connection, "madcompany").record(moves)
            connection.execute(text("ALTER TABLE release_moves DROP COLUMN figures"))
            connection.execute(text("DROP TABLE release_troubles"))  # which came later
            connection.execute(text("UPDATE stopgap_version SET version_num = '0002'"))
        migrate(database)
        with database.read() as connection:
            found = connection.execute(select(MOVES).order_by(MOVES.c.version)).all()
    assert [row.figures for row in found] == [FIGURES, *[None] * 5]
    kept = [reason for _, reason in OLD[1:]]
    assert [row.reason for row in found] == ["4 of 9 had no answer.", *kept]
