"""An account, its name, and whoever asks for something."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from stopgap.accounts.permissions import Role
from stopgap.errors import Fault, StopgapError

NAME_MAX = 150
"""Characters of a name; Django's limit, so names from most systems fit."""

UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no name has: controls, halves of pairs, ends of lines and paragraphs."""

BLANK = frozenset({"Zs", "Cf"})
"""Unicode categories of which nothing is seen. What no category is known of may be seen."""


class AccountNotFound(StopgapError):
    """There is no account of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no account {Fault.shorten(name)!r}.")


class AccountExists(StopgapError):
    """There is an account of this name already; capitals make no difference."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is an account {name!r} already; choose another name.")


class OwnAccountKept(StopgapError):
    """Nobody can disable the account that they use: there might be nobody left to enable it."""

    def __init__(self) -> None:
        super().__init__("This is your own account; another operator can disable it.")


class AccountNameInvalid(StopgapError):
    """Nobody can have this name."""

    def __init__(self, name: str, message: str) -> None:
        received = name.encode(errors="backslashreplace").decode()
        fault = Fault(field="username", message=message, received=Fault.shorten(received))
        super().__init__(f"The username {message}.", faults=[fault])


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody whom this server knows."""

    id: str
    name: str  # as it was written
    role: Role
    created_at: datetime
    disabled: bool = False
    fixed_password: bool = False  # all know it, so that none of them may change it


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever asks: an account, or a guest."""

    id: str  # the account's, or the guest's; no two callers share one
    name: str
    role: Role
    account: bool  # False for a guest
    password_length: int | None = None  # code points, of the sign-in; None for a key


def fold_name(name: str) -> str:
    """Check a name, and make of it what is compared: Unicode's canonical caseless matching (D145).

    Spaces around it, which phones like to add, make no other name.

    Raises:
        AccountNameInvalid: it is empty, too long, blank, or holds what cannot be written.
    """
    if not 1 <= len(name) <= NAME_MAX:
        raise AccountNameInvalid(name, f"must have 1 to {NAME_MAX} characters")
    categories = {unicodedata.category(character) for character in name}
    if categories & UNWRITABLE:
        raise AccountNameInvalid(name, "must not have control characters")
    if categories <= BLANK:
        raise AccountNameInvalid(name, "must not be blank")
    folded = unicodedata.normalize("NFD", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)
