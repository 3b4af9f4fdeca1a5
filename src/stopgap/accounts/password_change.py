"""Changing one's own password: who asks proves once more to be who they are."""

from stopgap.accounts.account import Caller
from stopgap.accounts.accounts import Accounts
from stopgap.accounts.passwords import PasswordFixed
from stopgap.accounts.sign_in import SignIn


def change_own_password(
    accounts: Accounts, sign_in: SignIn, caller: Caller, current: str, new: str, *, address: str
) -> str:
    """Change the caller's password, end all sessions, and start a new one; return its id.

    The old password is asked for as at a sign-in, so that who finds an open session can neither
    lock its owner out nor guess without end.

    Raises:
        PasswordFixed: the account is shared by many.
        SignInRefused, SignInThrottled: the current password is wrong, or guesses were too many.
        PasswordTooWeak, PasswordTooLong: the account cannot have the new one.
    """
    if accounts.get(caller.name).fixed_password:
        raise PasswordFixed(caller.name)
    accounts.check_password(caller.name, new)
    proven = sign_in.prove(caller.name, current, address)
    accounts.replace_password(proven, new)
    _, session_id = sign_in.sign_in(caller.name, new, address)
    return session_id
