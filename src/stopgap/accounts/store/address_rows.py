"""Every statement about addresses from which accounts have signed in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from stopgap.accounts.store.tables import KNOWN_ADDRESSES, delete_batch


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


def addresses_of(connection: Connection, account_id: str) -> Sequence[datetime]:
    """Tell when each address of an account was last seen, the newest first."""
    seen_at = KNOWN_ADDRESSES.c.seen_at
    statement = select(seen_at).where(KNOWN_ADDRESSES.c.account_id == account_id)
    return connection.scalars(statement.order_by(seen_at.desc())).all()


def delete_aged_addresses(connection: Connection, before: datetime) -> int:
    """Delete a batch of addresses that were last seen before a moment; tell how many."""
    table = KNOWN_ADDRESSES.c
    return delete_batch(connection, table.digest, table.seen_at, before)
