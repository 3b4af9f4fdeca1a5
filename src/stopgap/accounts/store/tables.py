"""The tables of accounts, and of what goes with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Delete,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    delete,
    select,
)

from stopgap.storage.columns import Moment, metadata

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


def delete_batch(
    connection: Connection, key: Column[Any], moment: Column[Any], until: datetime
) -> int:
    """Delete a batch of rows whose moment has come; tell how many."""
    aged = select(key).where(moment <= until).limit(BATCH).with_for_update(skip_locked=True)
    statement: Delete = delete(key.table).where(key.in_(aged))
    return connection.execute(statement).rowcount
