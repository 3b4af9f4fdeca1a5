"""Passwords: hashed with Argon2id, two at a time, and held against the rules when they are new."""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from stopgap.accounts.common_passwords import is_common
from stopgap.errors import Fault, StopgapError

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with 19 MiB: OWASP's Password Storage Cheat Sheet. 26 ms here; time `HASHER.hash`."""

AT_ONCE = 2
"""Hashes at one time in a process, so that no flood of sign-ins takes the memory or the machine."""

LENGTH_MIN = 15
"""NIST SP 800-63B-4, section 3.1.1.2, for a password that is the only factor."""

LENGTH_MAX = 1_024

RANDOM_BYTES = 18
"""Of a password that is made up: 144 bits, more than anybody guesses."""


class PasswordTooWeak(StopgapError):
    """The new password is too short, or one that many people use."""

    def __init__(self, message: str) -> None:
        fault = Fault(field="password", message=message)
        super().__init__(f"The password {message}.", faults=[fault])


class PasswordTooLong(StopgapError):
    """The password has more than 1,024 characters, which takes too long to hash."""

    def __init__(self) -> None:
        message = f"must have {LENGTH_MAX} characters at most"
        fault = Fault(field="password", message=message)
        super().__init__(f"The password {message}.", faults=[fault])


class PasswordFixed(StopgapError):
    """This account is shared, so none of its users may change its password."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The account {name!r} is shared by many; its password stays as it is.")


def random_password() -> str:
    """Make a password up, in hexadecimal, which is easy to read out."""
    return secrets.token_hex(RANDOM_BYTES)


def check_length(password: str) -> None:
    """Refuse a password that would take too long to hash.

    Raises:
        PasswordTooLong: it has more than 1,024 characters.
    """
    if len(password) > LENGTH_MAX:
        raise PasswordTooLong


class Turn:
    """The right to hash, for as long as it lasts."""

    def hash(self, password: str) -> str:
        """Make the hash that is kept in place of a password."""
        return HASHER.hash(_bytes(password))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Tell whether it is the password; without a hash, take as long to say no."""
        try:
            return HASHER.verify(password_hash or _dummy(), _bytes(password))
        except VerifyMismatchError:
            return False

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether the hash was made with other parameters than today's."""
        return HASHER.check_needs_rehash(password_hash)


class Passwords:
    """Passwords of this process.

    Args:
        rules: Whether a new password needs 15 characters and must be no common one.
    """

    def __init__(self, *, rules: bool) -> None:
        self._rules = rules
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until one may hash."""
        with self._turns:
            yield Turn()

    def check(self, password: str, name: str) -> None:
        """Hold a new password against the rules: its length and a list, not its composition.

        Raises:
            PasswordTooWeak: it is too short, or a common one.
            PasswordTooLong: it has more than 1,024 characters.
        """
        check_length(password)
        shortest = LENGTH_MIN if self._rules else 1
        if len(unicodedata.normalize("NFC", password)) < shortest:
            raise PasswordTooWeak(f"must have at least {shortest} characters")
        if self._rules and is_common(password, name):
            raise PasswordTooWeak("is made of words that many people use; choose other ones")


def _bytes(password: str) -> bytes:
    """Encode a password in one way, however it was typed.

    A keyboard may send é as one character or as two; NFC makes them one, as RFC 8265 (section
    4.2) has it. Not NFKC: it would take different passwords (`①` and `1`) for the same. Nothing
    is trimmed, folded or cut. Half a surrogate pair, which JSON can hold, is kept as it is.
    """
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


def _dummy() -> str:
    """Make up a hash of today's parameters, of no password that anybody knows."""
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    salt, tag = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (HASHER.salt_len, HASHER.hash_len)
    )
    return f"$argon2id$v=19${cost}${salt}${tag}"
