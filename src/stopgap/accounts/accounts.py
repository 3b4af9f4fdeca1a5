"""The accounts: who has one, and what becomes of it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from stopgap.accounts import store
from stopgap.accounts.account import (
    Account,
    AccountExists,
    AccountNotFound,
    OwnAccountKept,
    fold_name,
)
from stopgap.accounts.passwords import PasswordFixed, Passwords, random_password
from stopgap.accounts.permissions import Role
from stopgap.accounts.sign_in import SignInRefused
from stopgap.clock import Clock, Ids
from stopgap.storage.database import Database

DEMO_NAME = "orhan"
DEMO_PASSWORD = "12345"  # noqa: S105  # the client's mail gives it to everybody
"""The account that the client's mail asks for."""


class Accounts:
    """Every account of this server."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, *, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._passwords = passwords

    def add(self, name: str, password: str, role: Role = Role.CLIENT) -> Account:
        """Add an account.

        Raises:
            AccountNameInvalid, AccountExists: it cannot have this name.
            PasswordTooWeak, PasswordTooLong: it cannot have this password.
        """
        fold_name(name)
        self._passwords.check(password, name)
        return self._add(name, password, role, fixed_password=False)

    def invite(self, name: str, role: Role = Role.CLIENT) -> tuple[Account, str]:
        """Add an account with a password that is made up, and told this once.

        Raises:
            AccountNameInvalid, AccountExists: it cannot have this name.
        """
        password = random_password()
        return self.add(name, password, role), password

    def get(self, name: str) -> Account:
        """Find an account.

        Raises:
            AccountNotFound: there is none of this name.
        """
        with self._database.read() as connection:
            account = store.find_account(connection, fold_name(name))
        if account is None:
            raise AccountNotFound(name)
        return account

    def list(self, *, after: str = "", limit: int | None = None) -> Sequence[Account]:
        """List accounts, by name.

        Args:
            after: Only those that come after this name.
            limit: Accounts at most; None: all of them.
        """
        with self._database.read() as connection:
            return store.accounts(connection, fold_name(after) if after else "", limit)

    hold = staticmethod(store.hold_account)
    """Keeps an account as it is for a transaction of whoever adds something to what it has."""

    def check_password(self, name: str, password: str) -> None:
        """Hold a password that an account may get against the rules.

        Raises:
            PasswordTooWeak, PasswordTooLong: it cannot have this one.
        """
        self._passwords.check(password, name)

    def set_password(self, name: str, password: str) -> bool:
        """Change a password, and end all sessions that were started with the old one.

        Returns:
            Whether its API keys have ended too: the old one was the published one.

        Raises:
            AccountNotFound: there is no account of this name.
            PasswordTooWeak, PasswordTooLong: it cannot have this password.
        """
        old = self._change_password(self.get(name), password)
        if old is None:
            raise AccountNotFound(name)
        return old.is_published

    def replace_password(self, proven: store.Login, password: str) -> None:
        """Change the password that somebody has proven to know, unless it is another by now.

        Else who knew the old one could undo what an operator has done about it meanwhile.

        Raises:
            SignInRefused: it is.
            PasswordTooWeak, PasswordTooLong: the account cannot have this password.
        """
        if self._change_password(proven.account, password, proven.password_count) is None:
            raise SignInRefused

    def _change_password(
        self, account: Account, password: str, seen: int | None = None
    ) -> store.Login | None:
        """Change a password, and end what was begun with it.

        Returns:
            What it replaces; None: the account is not as seen any more.
        """
        self._passwords.check(password, account.name)
        with self._passwords.turn() as turn:
            password_hash = turn.hash(password)
        with self._database.write() as connection:
            old = store.find_login(connection, fold_name(account.name))
            changed = store.update_password(connection, account.id, password_hash, seen)
            if old is None or not changed:
                return None
            store.delete_begun(connection, old)
        return old

    def reset_password(self, name: str) -> str:
        """Give an account a password that is made up and told this once; end its sessions.

        Raises:
            AccountNotFound: there is no account of this name.
            PasswordFixed: the account is shared by many, who would all be locked out.
        """
        account, password = self.get(name), random_password()
        if account.fixed_password:
            raise PasswordFixed(account.name)
        self.set_password(name, password)
        return password

    def names(self, ids: Collection[str]) -> Mapping[str, str]:
        """Tell the names of accounts by their ids; of what is no account's id, nothing."""
        with self._database.read() as connection:
            return store.names_of(connection, ids)

    def disable(self, name: str, *, by: str | None = None) -> None:
        """Let nobody sign in to an account: its sessions end, its keys are refused.

        Args:
            by: The id of the account that asks for it, if one does.

        Raises:
            AccountNotFound: there is no account of this name.
            OwnAccountKept: it is the account that asks.
        """
        with self._database.write() as connection:
            account = store.update_disabled(connection, fold_name(name), disabled=True)
            if account is None:
                raise AccountNotFound(name)
            if account.id == by:
                raise OwnAccountKept
            store.delete_sessions_of(connection, account.id)

    def end_sessions(self, name: str) -> None:
        """Have whoever uses an account sign in again; its keys work as before.

        Raises:
            AccountNotFound: there is no account of this name.
        """
        account = self.get(name)
        with self._database.write() as connection:
            store.delete_sessions_of(connection, account.id)

    def enable(self, name: str) -> None:
        """Let an account be used again; its keys work as before.

        Raises:
            AccountNotFound: there is no account of this name.
        """
        with self._database.write() as connection:
            if store.update_disabled(connection, fold_name(name), disabled=False) is None:
                raise AccountNotFound(name)

    def delete(self, name: str) -> None:
        """Delete an account with its sessions, keys and addresses, in one step.

        Raises:
            AccountNotFound: there is no account of this name.
        """
        with self._database.write() as connection:
            if not store.delete_account(connection, fold_name(name)):
                raise AccountNotFound(name)

    def ensure_demo_account(self) -> None:
        """Add the demo account unless there is one; several processes may do so at once."""
        if self._demo_login() is None:
            with suppress(AccountExists):  # another process was faster
                self._add(DEMO_NAME, DEMO_PASSWORD, Role.CLIENT, fixed_password=True)

    def is_demo_open(self) -> bool:
        """Tell whether the demo account has the demo's password, and is enabled, at this moment."""
        login = self._demo_login()
        return login is not None and login.is_published and not login.account.disabled

    def close_demo_account(self) -> None:
        """End what the demo account has left where it may not sign in: sessions and API keys."""
        login = self._demo_login()
        if login is None or not login.is_published:  # so that hardly any start or command writes
            return
        with self._database.write() as connection:
            store.delete_begun(connection, login)

    def _demo_login(self) -> store.Login | None:
        with self._database.read() as connection:
            return store.find_login(connection, fold_name(DEMO_NAME))

    def _add(self, name: str, password: str, role: Role, *, fixed_password: bool) -> Account:
        with self._passwords.turn() as turn:
            password_hash = turn.hash(password)
        account = Account(
            id=self._ids.new(),
            name=name.strip(),
            role=role,
            created_at=self._clock.now(),
            fixed_password=fixed_password,
        )
        with self._database.write() as connection:
            store.insert_account(connection, account, fold_name(name), password_hash)
        return account
