"""Signing in: the one way from a name and a password to a session."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from stopgap.accounts import store
from stopgap.accounts.account import Caller, fold_name
from stopgap.accounts.digest import digest
from stopgap.accounts.passwords import Passwords, check_length
from stopgap.accounts.permissions import Role
from stopgap.accounts.sessions import SESSIONS_MAX, Sessions
from stopgap.accounts.throttling import Throttle
from stopgap.address import network_of
from stopgap.clock import Clock
from stopgap.errors import StopgapError
from stopgap.storage.database import Database
from stopgap.storage.database_faults import AWAY

GUEST_NAME = "guest"
"""How somebody is called who uploads an image without having signed in."""


LONG = 120
"""Seconds from which on people are told minutes."""


class SignInRefused(StopgapError):
    """The username or the password is wrong, or the account is disabled."""

    def __init__(self) -> None:
        super().__init__("The username or the password is wrong.")


class SignInThrottled(StopgapError):
    """There were too many failed sign-ins, or too many guests from one address."""

    def __init__(self, seconds: int) -> None:
        wait = f"{seconds} seconds" if seconds < LONG else f"{-(-seconds // 60)} minutes"
        super().__init__(f"There were too many sign-ins; try again in {wait}.")
        self.retry_after = float(seconds)


class SignIn:
    """Signs accounts and guests in.

    An unknown name and a wrong password differ in nothing that can be seen from outside: the same
    reads, one hash, the same counts, the same words; throttled, the same small reads and no hash.
    Where guests are welcome an unknown name is no failure, so there it is no secret which names
    are accounts'.

    Failures at one name from all addresses together stop strangers only: not who has signed in
    from there before, and nobody at a shared account, which all the world could close else.

    Args:
        secret: The addresses of accounts are kept as digests under it.
        guests: Whether a name that is no account's is welcome.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        sessions: Sessions,
        passwords: Passwords,
        throttle: Throttle,
        secret: bytes,
        guests: bool,
        demo_account: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._secret = secret
        self._guests = guests
        self._demo_account = demo_account

    def sign_in(self, name: str, password: str, address: str) -> tuple[Caller, str]:
        """Start a session; return who it is and the session's id, which is nowhere kept.

        Raises:
            AccountNameInvalid, PasswordTooLong: nobody can have such a one.
            SignInRefused: the password is not this account's; where guests are not welcome, there
                may be no such account.
            SignInThrottled: there were too many failures before.
        """
        folded = fold_name(name)
        check_length(password)
        if self._guests and not self._is_account(folded):
            with self._welcoming(name, len(password), network_of(address)) as welcomed:
                return welcomed
        return self._start(self.prove(name, password, address), name, len(password), address)

    def prove(self, name: str, password: str, address: str) -> store.Login:
        """Hold a password against an account's, without starting a session; counted all the same.

        Returns:
            The account as it was at that moment.

        Raises:
            AccountNameInvalid, PasswordTooLong: nobody can have such a one.
            SignInRefused: the password is not this account's, or there is no such account.
            SignInThrottled: there were too many failures before.
        """
        folded, network = fold_name(name), network_of(address)
        check_length(password)
        with self._database.read() as connection:
            shared = store.is_shared(connection, folded)
            at_home = store.knows_address(connection, self._address_digest(name, address))
        # Counted within the turn: at most as many attempts as there are turns are undecided, so
        # that many right ones at once are not taken for failures.
        with self._passwords.turn() as turn:
            attempt = self._throttle.begin(folded, network, everywhere=not (at_home or shared))
            if attempt.wait:
                raise SignInThrottled(attempt.wait)
            try:
                with self._database.read() as connection:
                    login = store.find_login(connection, folded)
            except AWAY:
                self._throttle.take_back(attempt)
                raise
            usable = login.password_hash if login and self._may_sign_in(login) else None
            if not turn.matches(usable, password) or login is None:
                raise SignInRefused
            self._throttle.succeed(attempt)
            outdated = turn.is_outdated(login.password_hash)
            return login.with_hash(turn.hash(password)) if outdated else login

    def welcoming_guest(self, address: str) -> AbstractContextManager[tuple[Caller, str]]:
        """Start a session for somebody who has not signed in, once what they came for is done.

        If that fails there is none, and nobody is counted.

        Raises:
            SignInThrottled: too many came from this address.
        """
        return self._welcoming(GUEST_NAME, None, network_of(address))

    def _may_sign_in(self, login: store.Login) -> bool:
        """Tell whether a right password is enough: the published one is in a demo alone."""
        return not login.account.disabled and (self._demo_account or not login.is_published)

    def _is_account(self, folded: str) -> bool:
        with self._database.read() as connection:
            return store.find_account(connection, folded) is not None

    def _address_digest(self, name: str, address: str) -> str:
        """Tell under what it is kept that somebody has signed in from an address."""
        return digest(self._secret, "address", fold_name(name), network_of(address))

    def _start(
        self, login: store.Login, name: str, password_length: int, address: str
    ) -> tuple[Caller, str]:
        """Start an account's session, unless the account has changed since it was looked at.

        Of too many, those that were used longest ago end.
        """
        row, session_id = self._sessions.draft(
            name=name, password_length=password_length, account_id=login.account.id
        )
        with self._database.write() as connection:
            if not store.hold_login(connection, login):
                raise SignInRefused
            store.delete_idle_sessions(connection, login.account.id, kept=SESSIONS_MAX - 1)
            store.insert_session(connection, row)
            digested = self._address_digest(name, address)
            store.remember_address(connection, digested, login.account.id, self._clock.now())
        caller = Caller(
            id=login.account.id,
            name=name,
            role=login.account.role,
            account=True,
            password_length=password_length,
        )
        return caller, session_id

    @contextmanager
    def _welcoming(
        self, name: str, password_length: int | None, network: str
    ) -> Iterator[tuple[Caller, str]]:
        attempt = self._throttle.welcome(network)
        if attempt.wait:
            raise SignInThrottled(attempt.wait)
        row, session_id = self._sessions.draft(name=name, password_length=password_length)
        caller = Caller(
            id=str(row.guest_id),
            name=name,
            role=Role.GUEST,
            account=False,
            password_length=password_length,
        )
        try:
            yield caller, session_id
            with self._database.write() as connection:
                store.insert_session(connection, row)
        except BaseException:
            self._throttle.take_back(attempt)
            raise
