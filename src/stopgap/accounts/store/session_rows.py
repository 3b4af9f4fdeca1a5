"""Every statement about sessions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import Role
from stopgap.accounts.store.tables import ACCOUNTS, BATCH, SESSIONS, delete_batch


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


def sessions_of(
    connection: Connection,
    account_id: str,
    now: datetime,
    *,
    first: str | None = None,
    limit: int | None = None,
) -> Sequence[SessionRow]:
    """List an account's sessions that have not expired, the newest first.

    Args:
        first: The digest of the one before all others.
        limit: The most that are listed.
    """
    statement = (
        select(SESSIONS)
        .where(*_of(account_id, now))
        .order_by((SESSIONS.c.digest == (first or "")).desc(), SESSIONS.c.created_at.desc())
        .limit(limit)
    )
    return [SessionRow(**row._asdict()) for row in connection.execute(statement)]


def count_sessions(connection: Connection, account_id: str, now: datetime) -> int:
    """Count an account's sessions that have not expired."""
    statement = select(func.count()).select_from(SESSIONS).where(*_of(account_id, now))
    return connection.execute(statement).scalar_one()


def _of(account_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return SESSIONS.c.account_id == account_id, SESSIONS.c.expires_at > now


def delete_session_of(connection: Connection, account_id: str, digits: str, now: datetime) -> bool:
    """Delete an account's session whose digest begins so; tell whether it had one."""
    begins = func.substr(SESSIONS.c.digest, 1, len(digits)) == digits  # however texts are sorted
    statement = delete(SESSIONS).where(*_of(account_id, now), begins)
    return connection.execute(statement).rowcount > 0


def delete_session(connection: Connection, digest: str) -> None:
    """Delete a session."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))


def delete_sessions_of(connection: Connection, account_id: str, *, kept: str | None = None) -> None:
    """Delete an account's sessions, but for the one of this digest."""
    statement = delete(SESSIONS).where(SESSIONS.c.account_id == account_id)
    if kept is not None:
        statement = statement.where(SESSIONS.c.digest != kept)
    connection.execute(statement)


def delete_idle_sessions(connection: Connection, account_id: str, *, kept: int) -> None:
    """Delete an account's sessions but for those that were used last, in a batch."""
    idle = (
        select(SESSIONS.c.digest)
        .where(SESSIONS.c.account_id == account_id)
        .order_by(SESSIONS.c.last_seen_at.desc())
        .offset(kept)
        .limit(BATCH)
    )
    key = SESSIONS.c.digest
    free = select(key).where(key.in_(idle)).with_for_update(skip_locked=True)
    connection.execute(delete(SESSIONS).where(key.in_(free)))


def delete_expired_sessions(connection: Connection, now: datetime) -> int:
    """Delete a batch of sessions that have expired; tell how many."""
    return delete_batch(connection, SESSIONS.c.digest, SESSIONS.c.expires_at, now)
