"""Changing one's own password: proven, throttled, and the end of every session before."""

from typing import Any

import pytest
from tests.accounts.conftest import FAILURES, Build, House

from stopgap.accounts.account import Caller
from stopgap.accounts.accounts import DEMO_NAME, DEMO_PASSWORD
from stopgap.accounts.password_change import change_own_password
from stopgap.accounts.passwords import PasswordFixed, PasswordTooLong, PasswordTooWeak
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled

HERE = "192.0.2.1"


def change(house: House, caller: Caller, current: str, new: str) -> str:
    """Change a password, from the usual address."""
    return change_own_password(house.accounts, house.sign_in, caller, current, new, address=HERE)


def test_a_change(house: House) -> None:
    """The new password takes the old one's place; the session that asked goes on under a new id."""
    caller, before = house.sign_in.sign_in("Ada", "correct", HERE)
    _, elsewhere = house.sign_in.sign_in("ada", "correct", HERE)
    session_id = change(house, caller, "correct", "violet teapots")
    assert [house.sessions.caller(each) for each in (before, elsewhere)] == [None, None]
    found = house.sessions.caller(session_id)
    assert found is not None
    assert found.id == caller.id
    assert len(house.sessions.list(caller.id)) == 1
    with pytest.raises(SignInRefused):
        house.sign_in.sign_in("ada", "correct", HERE)


def test_who_does_not_know_the_password(house: House) -> None:
    """An open session is not enough, and guesses are throttled as a stranger's are."""
    caller, session_id = house.sign_in.sign_in("ada", "correct", HERE)
    for _ in range(FAILURES):
        with pytest.raises(SignInRefused):
            change(house, caller, "wrong", "violet teapots")
    with pytest.raises(SignInThrottled):
        change(house, caller, "correct", "violet teapots")
    assert house.sessions.caller(session_id) == caller


def test_a_reset_is_not_undone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knew the old password has lost to an operator who resets it at the same moment."""
    caller, _ = house.sign_in.sign_in("ada", "correct", HERE)
    check = house.accounts.replace_password

    def late(*told: Any) -> None:
        house.accounts.set_password("ada", "an operator's")
        check(*told)

    monkeypatch.setattr(house.accounts, "replace_password", late)
    with pytest.raises(SignInRefused):
        change(house, caller, "correct", "mine")
    assert house.sessions.list(caller.id) == []
    with pytest.raises(SignInRefused):
        house.sign_in.sign_in("ada", "mine", HERE)
    house.sign_in.sign_in("ada", "an operator's", HERE)


def test_what_cannot_be_a_password(build: Build) -> None:
    """The rules hold, and a refusal leaves everything as it was, sessions included."""
    strict = build(rules=True)
    strict.accounts.add("ada", "violet teapots hum")
    caller, session_id = strict.sign_in.sign_in("ada", "violet teapots hum", HERE)
    for new, kind in (("short", PasswordTooWeak), ("x" * 1_025, PasswordTooLong)):
        with pytest.raises(kind):
            change(strict, caller, "violet teapots hum", new)
    assert strict.sessions.caller(session_id) == caller
    assert len(strict.sessions.list(caller.id)) == 1


def test_a_shared_account(demo: House) -> None:
    """Of an account that is many people's nobody changes the password, while it is theirs."""
    caller, _ = demo.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, HERE)
    with pytest.raises(PasswordFixed):
        change(demo, caller, DEMO_PASSWORD, "mine")
    demo.accounts.set_password(DEMO_NAME, "an operator's")
    change(demo, caller, "an operator's", "mine")
    assert demo.sign_in.sign_in(DEMO_NAME, "mine", HERE)[0].id == caller.id
