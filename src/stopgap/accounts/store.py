"""The tables of accounts, sessions, keys and known addresses, and all SQL on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Delete,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from stopgap.accounts.account import Account, AccountExists, Caller
from stopgap.accounts.permissions import Role
from stopgap.storage.database import Moment, metadata

BATCH = 1_000
"""Rows that one transaction of a sweep removes at most."""

ACCOUNTS = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("password_count", Integer, nullable=False),  # goes up with each new password
    Column("fixed_password", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)


def _account_id() -> Column[str]:
    owner = ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE")
    return Column("account_id", String(64), owner, nullable=False, index=True)


SESSIONS = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account_id", String(64), ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), index=True),
    Column("guest_id", String(64)),
    Column("name", Text, nullable=False),
    Column("password_length", Integer),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("last_seen_at", Moment, nullable=False),
    CheckConstraint("(account_id IS NULL) <> (guest_id IS NULL)", name="one_holder"),
)

KEYS = Table(
    "keys",
    metadata,
    Column("id", String(64), primary_key=True),
    _account_id(),
    Column("digest", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
)

KNOWN_ADDRESSES = Table(
    "known_addresses",
    metadata,
    Column("digest", String(64), primary_key=True),  # of name and address together
    _account_id(),
    Column("seen_at", Moment, nullable=False, index=True),
)


@dataclass(frozen=True, kw_only=True)
class Login:
    """An account, and what its password is held against."""

    account: Account
    password_hash: str
    password_count: int

    def with_hash(self, password_hash: str) -> Self:
        """Give the same password another hash."""
        return replace(self, password_hash=password_hash)


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """A session as it is kept."""

    digest: str
    account_id: str | None
    guest_id: str | None
    name: str
    password_length: int | None
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


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


def accounts(
    connection: Connection, after: str = "", limit: int | None = None
) -> Sequence[Account]:
    """List accounts by name, from the first after a folded one."""
    statement = select(ACCOUNTS).where(ACCOUNTS.c.folded > after).order_by(ACCOUNTS.c.folded)
    return [_account(row) for row in connection.execute(statement.limit(limit))]


def find_account(connection: Connection, folded: str) -> Account | None:
    """Find an account by its folded name."""
    login = find_login(connection, folded)
    return login.account if login else None


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


def is_shared(connection: Connection, folded: str) -> bool | None:
    """Tell whether an account's password is fixed; None if there is no such account."""
    return connection.scalar(select(ACCOUNTS.c.fixed_password).where(ACCOUNTS.c.folded == folded))


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
    connection: Connection, account_id: str, password_hash: str, seen: int | None = None
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


def update_disabled(connection: Connection, folded: str, *, disabled: bool) -> Account | None:
    """Disable or enable an account; None if it is not there."""
    connection.execute(
        update(ACCOUNTS).where(ACCOUNTS.c.folded == folded).values(disabled=disabled)
    )
    return find_account(connection, folded)


def delete_account(connection: Connection, folded: str) -> str | None:
    """Delete an account, and by its foreign keys all that is its; tell its id."""
    statement = delete(ACCOUNTS).where(ACCOUNTS.c.folded == folded).returning(ACCOUNTS.c.id)
    return connection.scalar(statement)


def insert_session(connection: Connection, row: SessionRow) -> None:
    """Add a session."""
    connection.execute(insert(SESSIONS).values(asdict(row)))


def find_session(
    connection: Connection, digest: str, now: datetime
) -> tuple[Caller, datetime] | None:
    """Find who holds a session that has not expired, and when it was last seen."""
    statement = (
        select(SESSIONS, ACCOUNTS.c.role)
        .outerjoin(ACCOUNTS, ACCOUNTS.c.id == SESSIONS.c.account_id)
        .where(
            SESSIONS.c.digest == digest,
            SESSIONS.c.expires_at > now,
            ACCOUNTS.c.disabled.is_not(True),
        )
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    caller = Caller(
        id=row.account_id or row.guest_id,
        name=row.name,
        role=Role(row.role or Role.GUEST),
        account=row.account_id is not None,
        password_length=row.password_length,
    )
    return caller, row.last_seen_at


def see_session(connection: Connection, digest: str, now: datetime, *, before: datetime) -> None:
    """Note that a session was used, unless somebody has noted it since."""
    connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.digest == digest, SESSIONS.c.last_seen_at <= before)
        .values(last_seen_at=now)
    )


def sessions_of(connection: Connection, account_id: str, now: datetime) -> Sequence[SessionRow]:
    """List an account's sessions that have not expired, the newest first."""
    statement = (
        select(SESSIONS)
        .where(SESSIONS.c.account_id == account_id, SESSIONS.c.expires_at > now)
        .order_by(SESSIONS.c.created_at.desc())
    )
    return [SessionRow(**row._asdict()) for row in connection.execute(statement)]


def delete_session(connection: Connection, digest: str) -> None:
    """Delete a session."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))


def delete_sessions_of(connection: Connection, account_id: str, *, kept: str | None = None) -> None:
    """Delete an account's sessions, but for the one of this digest."""
    statement = delete(SESSIONS).where(SESSIONS.c.account_id == account_id)
    if kept is not None:
        statement = statement.where(SESSIONS.c.digest != kept)
    connection.execute(statement)


def delete_expired_sessions(connection: Connection, now: datetime) -> int:
    """Delete a batch of sessions that have expired; tell how many."""
    return _delete_batch(connection, SESSIONS.c.digest, SESSIONS.c.expires_at, now)


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


def knows_address(connection: Connection, digest: str) -> bool:
    """Tell whether an account has signed in from an address, both of them in the digest."""
    statement = select(KNOWN_ADDRESSES.c.digest).where(KNOWN_ADDRESSES.c.digest == digest)
    return connection.scalar(statement) is not None


def remember_address(connection: Connection, digest: str, account_id: str, now: datetime) -> None:
    """Note that an account has signed in from an address; `hold_login` first."""
    seen = connection.execute(
        update(KNOWN_ADDRESSES).where(KNOWN_ADDRESSES.c.digest == digest).values(seen_at=now)
    )
    if seen.rowcount == 0:
        row = {"digest": digest, "account_id": account_id, "seen_at": now}
        connection.execute(insert(KNOWN_ADDRESSES).values(row))


def delete_aged_addresses(connection: Connection, before: datetime) -> int:
    """Delete a batch of addresses that were last seen before a moment; tell how many."""
    table = KNOWN_ADDRESSES.c
    return _delete_batch(connection, table.digest, table.seen_at, before)


def _delete_batch(
    connection: Connection, key: Column[Any], moment: Column[Any], until: datetime
) -> int:
    aged = select(key).where(moment <= until).limit(BATCH).with_for_update(skip_locked=True)
    statement: Delete = delete(key.table).where(key.in_(aged))
    return connection.execute(statement).rowcount


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        disabled=row.disabled,
        fixed_password=row.fixed_password,
    )


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
