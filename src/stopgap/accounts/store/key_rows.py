"""Every statement about API keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import Role
from stopgap.accounts.store.tables import ACCOUNTS, KEYS


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """An API key as it is kept."""

    id: str
    account_id: str
    account_name: str
    digest: str
    label: str
    created_at: datetime
    last_used_at: datetime | None = None


def insert_key(connection: Connection, row: KeyRow) -> None:
    """Add an API key."""
    values = {name: value for name, value in asdict(row).items() if name in KEYS.c}
    connection.execute(insert(KEYS).values(values))


def find_key(connection: Connection, key_id: str) -> tuple[KeyRow, Caller] | None:
    """Find an API key of an account that is not disabled, and who holds it."""
    statement = (
        select(KEYS, ACCOUNTS.c.name.label("account_name"), ACCOUNTS.c.role)
        .join(ACCOUNTS)
        .where(KEYS.c.id == key_id, ACCOUNTS.c.disabled.is_(False))
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    caller = Caller(id=row.account_id, name=row.account_name, role=Role(row.role), account=True)
    return _key_row(row), caller


def use_key(connection: Connection, key_id: str, now: datetime, *, before: datetime) -> None:
    """Note that an API key was used, unless somebody has noted it since."""
    last = KEYS.c.last_used_at
    connection.execute(
        update(KEYS)
        .where(KEYS.c.id == key_id, last.is_(None) | (last <= before))
        .values(last_used_at=now)
    )


def keys(connection: Connection, account_id: str | None = None) -> Sequence[KeyRow]:
    """List the API keys of one account, or of all, the newest first."""
    statement = select(KEYS, ACCOUNTS.c.name.label("account_name")).join(ACCOUNTS)
    if account_id is not None:
        statement = statement.where(KEYS.c.account_id == account_id)
    newest_first = statement.order_by(KEYS.c.created_at.desc(), KEYS.c.id)
    return [_key_row(row) for row in connection.execute(newest_first)]


def delete_key(connection: Connection, key_id: str, account_id: str | None) -> bool:
    """Delete an API key, of this account if one is named; tell whether there was one."""
    statement = delete(KEYS).where(KEYS.c.id == key_id)
    if account_id is not None:
        statement = statement.where(KEYS.c.account_id == account_id)
    return connection.execute(statement).rowcount == 1


def _key_row(row: Row[Any]) -> KeyRow:
    return KeyRow(
        id=row.id,
        account_id=row.account_id,
        account_name=row.account_name,
        digest=row.digest,
        label=row.label,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
