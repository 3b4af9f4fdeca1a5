"""API keys: what a program sends instead of signing in."""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from stopgap.accounts import store
from stopgap.accounts.account import UNWRITABLE, AccountNotFound, Caller, fold_name
from stopgap.accounts.digest import digest
from stopgap.accounts.sessions import NOTE_SECONDS, SEEN_EVERY
from stopgap.clock import Clock, Ids
from stopgap.errors import Fault, StopgapError
from stopgap.storage.database import Database
from stopgap.storage.database_faults import AWAY

KEY = re.compile(r"sk_(?P<id>[0-9a-f]{16})_(?P<secret>[0-9a-f]{64})")
"""How a key looks: `sk_`, which secret scanners know; its id, which is none; its secret."""

KEY_ID = re.compile(r"[0-9a-f]{16}")

LABEL_MAX = 100

KEYS_MAX = 50
"""Keys of one account: more programs than that share accounts, or somebody tries how many fit."""


class KeyNotFound(StopgapError):
    """There is no such API key, or it is another account's."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no API key {Fault.shorten(key_id)!r}.")


class KeyQuotaReached(StopgapError):
    """The account has as many API keys as it may; one that is revoked makes room."""

    def __init__(self) -> None:
        super().__init__(f"The account has {KEYS_MAX} keys already; revoke one that is not used.")


class KeyLabelInvalid(StopgapError):
    """No API key can have this label."""

    def __init__(self) -> None:
        message = f"must have {LABEL_MAX} characters at most, and no control characters"
        super().__init__(
            f"A key's label {message}.", faults=[Fault(field="label", message=message)]
        )


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key, without its secret."""

    id: str
    account_id: str
    account_name: str
    label: str  # what it is for, in its owner's words
    created_at: datetime
    last_used_at: datetime | None  # to the minute; None: never


def bearer(authorization: str) -> str | None:
    """Tell what `Authorization: Bearer` brings; any other scheme is for a proxy in front of us."""
    scheme, *rest = authorization.split(None, 1) or [""]
    return "".join(rest).strip() if scheme.lower() == "bearer" else None


class Keys:
    """The API keys of all accounts.

    Args:
        secret: Keys are kept as digests under it.
        previous: The secret before it; keys that were made under it are still known.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        *,
        secret: bytes,
        previous: bytes | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._secrets = (secret,) if previous is None else (secret, previous)

    def create(
        self, account_name: str, label: str = "", *, account_id: str | None = None
    ) -> tuple[Key, str]:
        """Make a key, and the text that is shown this once and never again.

        Args:
            account_name: Whose key it is.
            label: What it is for.
            account_id: Only if the account of this name is this one: it may be another by now.

        Raises:
            AccountNotFound: there is no account of this name.
            KeyLabelInvalid: the label is too long, or holds what cannot be written.
            KeyQuotaReached: it has as many keys as it may.
        """
        if len(label) > LABEL_MAX or UNWRITABLE & set(map(unicodedata.category, label)):
            raise KeyLabelInvalid
        key_id, secret = self._ids.secret()[:16], self._ids.secret()
        with self._database.write() as connection:
            account = store.find_account(connection, fold_name(account_name), account_id)
            if account is None or not store.hold_account(connection, account.id, disabled=True):
                raise AccountNotFound(account_name)
            if len(store.keys(connection, account.id)) >= KEYS_MAX:
                raise KeyQuotaReached
            row = store.KeyRow(
                id=key_id,
                account_id=account.id,
                account_name=account.name,
                digest=_digest(self._secrets[0], key_id, secret),
                label=label,
                created_at=self._clock.now(),
            )
            store.insert_key(connection, row)
        return _key(row), f"sk_{key_id}_{secret}"

    def caller(self, secret: str) -> Caller | None:
        """Tell whose key it is; None if it is none, was revoked, or its account is disabled."""
        sent = KEY.fullmatch(secret)
        if sent is None:
            return None
        with self._database.read() as connection:
            found = store.find_key(connection, sent["id"])
        if found is None:
            return None
        row, caller = found
        known = (_digest(each, row.id, sent["secret"]) for each in self._secrets)
        if not any(hmac.compare_digest(row.digest, each) for each in known):
            return None
        now = self._clock.now()
        if row.last_used_at is None or now - row.last_used_at >= SEEN_EVERY:
            with suppress(*AWAY), self._database.write(patience=NOTE_SECONDS) as connection:
                store.use_key(connection, row.id, now, before=now - SEEN_EVERY)
        return caller

    def list(self, name: str | None = None, *, account_id: str | None = None) -> Sequence[Key]:
        """List the keys of one account, or of all, the newest first.

        Args:
            name: The account's; None: of all.
            account_id: Only if the account of this name is this one.

        Raises:
            AccountNotFound: there is no account of this name.
        """
        with self._database.read() as connection:
            if name is None:
                return [_key(row) for row in store.keys(connection)]
            account = store.find_account(connection, fold_name(name), account_id)
            if account is None:
                raise AccountNotFound(name)
            return [_key(row) for row in store.keys(connection, account.id)]

    def revoke(self, key_id: str, account_id: str | None = None) -> None:
        """End a key for good.

        Args:
            key_id: What stands between `sk_` and the secret.
            account_id: Only if it is this account's.

        Raises:
            KeyNotFound: there is none.
        """
        if not KEY_ID.fullmatch(key_id):  # nor could every database look for it
            raise KeyNotFound(key_id)
        with self._database.write() as connection:
            if not store.delete_key(connection, key_id, account_id):
                raise KeyNotFound(key_id)


def _digest(under: bytes, key_id: str, secret: str) -> str:
    return digest(under, "key", key_id, secret)


def _key(row: store.KeyRow) -> Key:
    return Key(
        id=row.id,
        account_id=row.account_id,
        account_name=row.account_name,
        label=row.label,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
