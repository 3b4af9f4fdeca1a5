"""Every statement about sessions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import Role
from stopgap.accounts.store.tables import ACCOUNTS, SESSIONS, delete_batch


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
    return delete_batch(connection, SESSIONS.c.digest, SESSIONS.c.expires_at, now)
