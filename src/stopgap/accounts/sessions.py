"""Sessions: kept on this side, so that they can be ended; the browser holds only a random id."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from stopgap.accounts import store
from stopgap.accounts.account import Caller
from stopgap.accounts.digest import digest
from stopgap.accounts.store.tables import BATCH
from stopgap.clock import Clock, Ids
from stopgap.errors import Fault, StopgapError
from stopgap.storage.database import Database
from stopgap.storage.database_faults import AWAY

SESSION_ID = re.compile(r"[0-9a-f]{64}")
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session or key was last used; a write for each use costs more."""

NOTE_SECONDS = 0.05
"""How long that may wait for a lock; else it is left to the next use, and holds up nobody."""

PUBLIC_DIGITS = 16
"""Of a session's digest, by which its holder can name it; they open nothing."""

NUMBER = re.compile(rf"[0-9a-f]{{{PUBLIC_DIGITS}}}")

SESSIONS_MAX = 1_000
"""Sessions that an account may have: enough for all who share one, few enough to look through."""

ADDRESS_DAYS = 30
"""How long it is remembered that an account has signed in from an address."""


class SessionNotFound(StopgapError):
    """There is no such session, it has ended, or it is somebody else's."""

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no session {Fault.shorten(number)!r}.")


@dataclass(frozen=True, kw_only=True)
class Session:
    """A sign-in that has not ended."""

    number: str  # under which it can be ended, not used
    name: str  # as it was typed
    created_at: datetime
    last_seen_at: datetime  # to the minute
    expires_at: datetime
    current: bool = False  # whether it is the one that asks


class Sessions:
    """The sessions of accounts and guests.

    Args:
        secret: Session ids are kept as digests under it.
        hours: How long an account's session lasts.
        guest_hours: How long a guest's does.
        guests: Whether there may be any; else those of before are nobody by now.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        *,
        secret: bytes,
        hours: int,
        guest_hours: int,
        guests: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._account_time = timedelta(hours=hours)
        self._guest_time = timedelta(hours=guest_hours)
        self._guests = guests

    def draft(
        self, *, name: str, password_length: int | None, account_id: str | None = None
    ) -> tuple[store.SessionRow, str]:
        """Make the row of a new session, and the id that only its holder will know.

        Without an account it is a guest's, under an id that nobody can guess.
        """
        session_id, now = self._ids.secret(), self._clock.now()
        lasts = self._guest_time if account_id is None else self._account_time
        row = store.SessionRow(
            digest=self._digest(session_id),
            account_id=account_id,
            guest_id=self._ids.secret() if account_id is None else None,
            name=name,
            password_length=password_length,
            created_at=now,
            expires_at=now + lasts,
            last_seen_at=now,
        )
        return row, session_id

    def caller(self, session_id: str) -> Caller | None:
        """Tell whose session it is; None if it has ended or never was."""
        if not SESSION_ID.fullmatch(session_id):
            return None
        now, key = self._clock.now(), self._digest(session_id)
        with self._database.read() as connection:
            found = store.find_session(connection, key, now)
        if found is None:
            return None
        caller, last_seen_at = found
        if not (caller.account or self._guests):
            return None
        if now - last_seen_at >= SEEN_EVERY:
            with suppress(*AWAY), self._database.write(patience=NOTE_SECONDS) as connection:
                store.see_session(connection, key, now, before=now - SEEN_EVERY)
        return caller

    def revoke(self, session_id: str) -> None:
        """End a session; one that has ended already stays so."""
        with self._database.write() as connection:
            store.delete_session(connection, self._digest(session_id))

    def revoke_all(self, account_id: str, except_: str | None = None) -> None:
        """End every session of an account, but for the one whose id is given."""
        kept = None if except_ is None else self._digest(except_)
        with self._database.write() as connection:
            store.delete_sessions_of(connection, account_id, kept=kept)

    def end(self, account_id: str, number: str) -> None:
        """End one of an account's sessions, by its number.

        Raises:
            SessionNotFound: the account has none of this number.
        """
        if not NUMBER.fullmatch(number):
            raise SessionNotFound(number)
        with self._database.write() as connection:
            if not store.delete_session_of(connection, account_id, number, self._clock.now()):
                raise SessionNotFound(number)

    def count(self, account_id: str) -> int:
        """Count an account's sessions."""
        with self._database.read() as connection:
            return store.count_sessions(connection, account_id, self._clock.now())

    def list(
        self, account_id: str, current: str | None = None, *, limit: int | None = None
    ) -> Sequence[Session]:
        """List an account's sessions: the one that asks, then the newest.

        Args:
            current: The id of the session that asks.
            limit: The most that are listed.
        """
        asking = None if current is None else self._digest(current)
        with self._database.read() as connection:
            rows = store.sessions_of(
                connection, account_id, self._clock.now(), first=asking, limit=limit
            )
        return [
            Session(
                number=row.digest[:PUBLIC_DIGITS],
                name=row.name,
                created_at=row.created_at,
                last_seen_at=row.last_seen_at,
                expires_at=row.expires_at,
                current=row.digest == asking,
            )
            for row in rows
        ]

    def addresses(self, account_id: str) -> Sequence[datetime]:
        """Tell when an account has last signed in from each known address, not from which."""
        with self._database.read() as connection:
            return store.addresses_of(connection, account_id)

    def sweep(self) -> int:
        """Remove what has aged: ended sessions, and addresses not seen for 30 days.

        In batches, each a transaction of its own, so that nobody waits long for it.
        """
        now = self._clock.now()
        removed = 0
        for delete, before in (
            (store.delete_expired_sessions, now),
            (store.delete_aged_addresses, now - timedelta(days=ADDRESS_DAYS)),
        ):
            count = BATCH
            while count == BATCH:
                with self._database.write() as connection:
                    count = delete(connection, before)
                removed += count
        return removed

    def _digest(self, session_id: str) -> str:
        return digest(self._secret, "session", session_id)
