"""The figures by which the server sent a canary back: beside its words, no longer behind them."""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEHIND = re.compile(r"(.*) (\{[^{}]*\})", re.DOTALL)

MOVES = sa.table(
    "release_moves",
    *map(sa.column, ("contract", "version", "number", "action", "reason")),
    sa.column("figures", sa.JSON),
)


def upgrade() -> None:
    """Give figures a column, and move those there that are in reasons."""
    op.add_column("release_moves", sa.Column("figures", sa.JSON))
    connection = op.get_bind()
    sent_back = sa.select(MOVES).where(MOVES.c.action == "sent back")
    for row in connection.execute(sent_back).all():
        if (found := BEHIND.fullmatch(row.reason)) and (figures := _read(found[2])):
            key = sa.tuple_(MOVES.c.contract, MOVES.c.version, MOVES.c.number)
            its = key == (row.contract, row.version, row.number)
            apart = {"reason": found[1], "figures": figures}
            connection.execute(sa.update(MOVES).where(its).values(apart))


def _read(text: str) -> dict[str, float] | None:
    """Read figures; None: they are none, but an end of what somebody wrote."""
    try:
        figures: dict[str, float] = json.loads(text)
        json.dumps(figures, allow_nan=False)
    except ValueError:
        return None
    return figures
