"""Every statement about accounts themselves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from sqlalchemy import Connection, Row, delete, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from stopgap.accounts.account import Account, AccountExists
from stopgap.accounts.permissions import Role
from stopgap.accounts.store.tables import ACCOUNTS, KEYS, KNOWN_ADDRESSES, SESSIONS


@dataclass(frozen=True, kw_only=True)
class Login:
    """An account, and what its password is held against."""

    account: Account
    password_hash: str
    password_count: int

    @property
    def is_published(self) -> bool:
        """Whether its password is the demo's, which everybody knows, and no operator's."""
        return self.account.fixed_password

    def with_hash(self, password_hash: str) -> Self:
        """Give the same password another hash."""
        return replace(self, password_hash=password_hash)


def insert_account(
    connection: Connection, account: Account, folded: str, password_hash: str
) -> None:
    """Add an account.

    Raises:
        AccountExists: there is one of this name.
    """
    row = asdict(account) | {"folded": folded, "password_hash": password_hash, "password_count": 1}
    try:
        connection.execute(insert(ACCOUNTS).values(row))
    except IntegrityError as error:
        raise AccountExists(account.name) from error


def accounts(connection: Connection, after: str, limit: int | None) -> Sequence[Account]:
    """List accounts by name, from the first after a folded one."""
    statement = select(ACCOUNTS).where(ACCOUNTS.c.folded > after).order_by(ACCOUNTS.c.folded)
    return [_account(row) for row in connection.execute(statement.limit(limit))]


def find_account(
    connection: Connection, folded: str, account_id: str | None = None
) -> Account | None:
    """Find an account by its folded name; None, too, if it is another than that of an id."""
    login = find_login(connection, folded)
    return login.account if login and account_id in {None, login.account.id} else None


def find_login(connection: Connection, folded: str) -> Login | None:
    """Find an account with what is needed to sign in to it."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.folded == folded)).one_or_none()
    if row is None:
        return None
    return Login(
        account=_account(row), password_hash=row.password_hash, password_count=row.password_count
    )


def names_of(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """Tell accounts' names by their ids."""
    rows = connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.name).where(ACCOUNTS.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


def is_shared(connection: Connection, folded: str) -> bool:
    """Tell whether there is an account of this name whose password all know."""
    shared = ACCOUNTS.c.fixed_password & (ACCOUNTS.c.password_count == 1)
    return bool(connection.scalar(select(shared).where(ACCOUNTS.c.folded == folded)))


def hold_login(connection: Connection, login: Login) -> bool:
    """Keep an account as it is until the transaction ends, and renew its hash.

    Returns:
        Whether it is still there, enabled, and has the same password.
    """
    renewed = connection.execute(
        update(ACCOUNTS)
        .where(
            ACCOUNTS.c.id == login.account.id,
            ACCOUNTS.c.password_count == login.password_count,
            ACCOUNTS.c.disabled.is_(False),
        )
        .values(password_hash=login.password_hash)
    )
    return renewed.rowcount == 1


def hold_account(connection: Connection, account_id: str, *, disabled: bool = False) -> bool:
    """Keep an account as it is until the transaction ends; tell whether it is there.

    Args:
        disabled: Whether it may be disabled.
    """
    held = connection.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.id == account_id, true() if disabled else ACCOUNTS.c.disabled.is_(False))
        .values(disabled=ACCOUNTS.c.disabled)
    )
    return held.rowcount == 1


def update_password(
    connection: Connection, account_id: str, password_hash: str, seen: int | None
) -> bool:
    """Change an account's password; tell whether that was done.

    Args:
        seen: The count of the password that is to be changed; None: whichever it has.
    """
    count = ACCOUNTS.c.password_count + 1
    changed = connection.execute(
        update(ACCOUNTS)
        .where(
            ACCOUNTS.c.id == account_id,
            true() if seen is None else ACCOUNTS.c.password_count == seen,
        )
        .values(password_hash=password_hash, password_count=count)
    )
    return changed.rowcount == 1


def delete_begun(connection: Connection, login: Login) -> None:
    """Delete what was begun with a password: sessions, and of one that all know the rest as well.

    Who has read it may have made the account's keys, and may be known by an address since.
    """
    for table in (SESSIONS, KEYS, KNOWN_ADDRESSES) if login.is_published else (SESSIONS,):
        connection.execute(delete(table).where(table.c.account_id == login.account.id))


def update_disabled(connection: Connection, folded: str, *, disabled: bool) -> Account | None:
    """Disable or enable an account; None if it is not there."""
    connection.execute(
        update(ACCOUNTS).where(ACCOUNTS.c.folded == folded).values(disabled=disabled)
    )
    return find_account(connection, folded)


def delete_account(connection: Connection, folded: str) -> bool:
    """Delete an account, and by its foreign keys all that is its; tell whether there was one."""
    return connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.folded == folded)).rowcount == 1


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        disabled=row.disabled,
        fixed_password=row.fixed_password and row.password_count == 1,
    )
