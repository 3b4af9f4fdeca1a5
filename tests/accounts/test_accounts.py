"""Accounts: made, changed, disabled, deleted."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.accounts.conftest import Build, House

from stopgap.accounts.account import (
    AccountExists,
    AccountNameInvalid,
    AccountNotFound,
    OwnAccountKept,
)
from stopgap.accounts.accounts import DEMO_NAME, DEMO_PASSWORD
from stopgap.accounts.passwords import PasswordFixed, PasswordTooLong, PasswordTooWeak
from stopgap.accounts.permissions import Role
from stopgap.accounts.sign_in import SignInRefused


def test_an_account_is_found_as_it_was_written(house: House) -> None:
    """An account keeps its name as written, and is found however that is typed."""
    added = house.accounts.add("Grace Hopper", "nanosecond", Role.OPERATOR)
    assert house.accounts.get("GRACE HOPPER") == added
    assert (added.name, added.role, added.disabled) == ("Grace Hopper", Role.OPERATOR, False)
    assert added.created_at == house.clock.now()
    assert [account.name for account in house.accounts.list()] == ["ada", "Grace Hopper"]


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
def test_a_name_is_given_once(name: str, house: House) -> None:
    """No two accounts share a name, whatever its capitals, and the first one stays."""
    before = house.accounts.list()
    with pytest.raises(AccountExists):
        house.accounts.add(name, "another")
    assert house.accounts.list() == before
    house.sign_in.sign_in("ada", "correct", "192.0.2.1")


@pytest.mark.parametrize("name", ["x" * 150, "ΐ" * 150, "🙂" * 150, "\u1f82" * 150])
def test_the_longest_names_are_kept(name: str, house: House) -> None:
    """150 characters fit on every database, whatever they become when folded."""
    house.accounts.add(name, "a password")
    assert house.accounts.get(name).name == name


def test_the_rules_are_held(build: Build) -> None:
    """With the rules on, no way of setting a password goes round them."""
    strict = build(rules=True)
    with pytest.raises(PasswordTooWeak):
        strict.accounts.add("ada", "short")
    with pytest.raises(PasswordTooLong):
        strict.accounts.add("ada", "x" * 1_025)
    with pytest.raises(AccountNameInvalid):
        strict.accounts.add("a\nb", "violet teapots hum")
    assert strict.accounts.list() == []
    strict.accounts.add("ada", "violet teapots hum")
    with pytest.raises(PasswordTooWeak):
        strict.accounts.set_password("ada", "short")
    strict.sign_in.sign_in("ada", "violet teapots hum", "192.0.2.1")


def test_a_new_password_replaces_the_old(house: House) -> None:
    """With a new password the old one is worthless, and so is every session it started."""
    _, session_id = house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    house.accounts.set_password("Ada", "better")
    assert house.sessions.caller(session_id) is None
    with pytest.raises(SignInRefused):
        house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    house.sign_in.sign_in("ada", "better", "192.0.2.1")


def test_keys_of_a_published_password_end_with_it(demo: House) -> None:
    """Whoever has read it may have made them; those of a password of one's own stay."""
    stranger = demo.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")[0]
    _, strangers = demo.keys.create(DEMO_NAME, account_id=stranger.id)
    assert demo.accounts.set_password("Orhan", "another one")
    assert demo.keys.caller(strangers) is None
    _, own = demo.keys.create(DEMO_NAME)
    assert not demo.accounts.set_password(DEMO_NAME, "yet another one")
    assert demo.keys.caller(own) == replace(stranger, password_length=None)


def test_a_shared_password_stays(demo: House) -> None:
    """The password of a shared account is not made up anew, until an operator has set another."""
    with pytest.raises(PasswordFixed):
        demo.accounts.reset_password("orhan")
    demo.sign_in.sign_in("orhan", "12345", "192.0.2.1")
    demo.accounts.set_password("orhan", "54321")
    demo.sign_in.sign_in("orhan", "54321", "192.0.2.1")
    demo.sign_in.sign_in("orhan", demo.accounts.reset_password("orhan"), "192.0.2.1")


def test_a_disabled_account_is_shut(house: House) -> None:
    """A disabled account's sessions are over and its keys refused; enabled, its keys work again."""
    _, session_id = house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    _, key = house.keys.create("ada")
    house.accounts.disable("Ada")
    assert house.accounts.get("ada").disabled
    assert house.sessions.caller(session_id) is None
    assert house.keys.caller(key) is None
    with pytest.raises(SignInRefused):
        house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    house.accounts.enable("ada")
    assert house.sessions.caller(session_id) is None
    assert house.keys.caller(key) is not None
    house.sign_in.sign_in("ada", "correct", "192.0.2.1")


def test_an_account_is_held(house: House) -> None:
    """Who adds something to what an account has sees that it is there, and enabled, until then."""
    ada = house.accounts.get("ada").id

    def held(account_id: str) -> bool:
        with house.database.write() as connection:
            return house.accounts.hold(connection, account_id)

    assert [held(ada), held("0" * 36)] == [True, False]
    house.accounts.disable("ada")
    assert not held(ada)
    assert house.accounts.get("ada").disabled


def test_a_deleted_account_leaves_nothing(house: House) -> None:
    """With an account go its sessions, keys and addresses; others' things stay."""
    house.accounts.add("bob", "builder")
    _, key = house.keys.create("bob")
    _, session_id = house.sign_in.sign_in("bob", "builder", "192.0.2.1")
    _, kept = house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    house.accounts.delete("BOB")
    assert house.sessions.caller(session_id) is None
    assert house.keys.caller(key) is None
    assert house.keys.list() == []
    assert house.sessions.caller(kept) is not None
    house.accounts.add("bob", "another")
    assert house.sessions.caller(session_id) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda house: house.accounts.get("nobody"),
        lambda house: house.accounts.set_password("nobody", "x"),
        lambda house: house.accounts.disable("nobody"),
        lambda house: house.accounts.enable("nobody"),
        lambda house: house.accounts.delete("nobody"),
        lambda house: house.keys.create("nobody"),
        lambda house: house.keys.list("nobody"),
    ],
)
def test_what_is_not_there_is_not_found(call: Callable[[House], object], house: House) -> None:
    """Everything that names an account says so when there is none."""
    with pytest.raises(AccountNotFound, match="nobody"):
        call(house)


def test_the_demo_account_is_made_once(build: Build) -> None:
    """Of several processes that start together one makes the demo account, and none fails."""
    houses = [build(guests=True, rules=True) for _ in range(4)]
    barrier = threading.Barrier(len(houses))
    failures: list[Exception] = []

    def ensure(house: House) -> None:
        barrier.wait()
        try:
            house.accounts.ensure_demo_account()
        except Exception as error:  # noqa: BLE001  # told below
            failures.append(error)

    threads = [threading.Thread(target=ensure, args=(house,)) for house in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    (account,) = houses[0].accounts.list()
    assert (account.name, account.role) == ("orhan", Role.CLIENT)
    assert account.fixed_password
    houses[0].sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")


def test_the_demo_account_may_have_another_password(demo: House) -> None:
    """Once an operator has given it another, or disabled it, nobody is told the demo's any more."""
    assert demo.accounts.is_demo_open()
    demo.accounts.disable(DEMO_NAME)
    assert not demo.accounts.is_demo_open()
    demo.accounts.enable(DEMO_NAME)
    demo.accounts.ensure_demo_account()
    assert demo.accounts.is_demo_open()
    demo.accounts.set_password(DEMO_NAME, "another one")
    assert not demo.accounts.is_demo_open()


def test_the_published_password_opens_nothing_outside_of_a_demo(build: Build, demo: House) -> None:
    """Nobody signs in with it, and what was begun in the demo ends; an operator's own does."""
    _, session = demo.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")
    _, key = demo.keys.create(DEMO_NAME)
    production = build(demo_account=False)
    production.accounts.add("ada", "mine")
    _, hers = production.sign_in.sign_in("ada", "mine", "192.0.2.1")
    with pytest.raises(SignInRefused):
        production.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")
    production.accounts.close_demo_account()
    assert production.sessions.caller(session) is None
    assert production.keys.caller(key) is None
    assert production.sessions.caller(hers) is not None
    production.accounts.set_password(DEMO_NAME, "another one")
    _, own = production.sign_in.sign_in(DEMO_NAME, "another one", "192.0.2.1")
    production.accounts.close_demo_account()
    assert production.sessions.caller(own) is not None


def test_an_account_of_that_name_is_left_alone(build: Build) -> None:
    """Somebody's own account of the demo's name stays as it is, disabled or not."""
    house = build()
    mine = house.accounts.add("Orhan", "mine")
    house.accounts.disable("orhan")
    house.accounts.ensure_demo_account()
    assert not house.accounts.is_demo_open()
    assert [account.id for account in house.accounts.list()] == [mine.id]
    assert house.accounts.get("orhan").disabled


def test_an_invitation(build: Build) -> None:
    """An account can begin with a password that is made up, and keeps the rules."""
    strict = build(rules=True)
    account, password = strict.accounts.invite("ada", Role.OPERATOR)
    assert strict.sign_in.sign_in("ada", password, "192.0.2.1")[0].id == account.id
    assert account.role == Role.OPERATOR
    with pytest.raises(AccountExists):
        strict.accounts.invite("Ada")


def test_a_password_is_reset(house: House, demo: House) -> None:
    """A reset ends every session and the old password; that of a shared account is left alone."""
    _, session_id = house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    password = house.accounts.reset_password("ada")
    assert house.sessions.caller(session_id) is None
    with pytest.raises(SignInRefused):
        house.sign_in.sign_in("ada", "correct", "192.0.2.1")
    house.sign_in.sign_in("ada", password, "192.0.2.1")
    with pytest.raises(PasswordFixed):
        demo.accounts.reset_password(DEMO_NAME)
    demo.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")


def test_nobody_disables_the_own_account(house: House) -> None:
    """Who disables accounts cannot disable the one in use, but any other."""
    operator = house.accounts.add("operator", "a password", Role.OPERATOR)
    with pytest.raises(OwnAccountKept):
        house.accounts.disable("operator", by=operator.id)
    assert not house.accounts.get("operator").disabled
    house.accounts.disable("ada", by=operator.id)
    assert house.accounts.get("ada").disabled


def test_sessions_end_and_keys_stay(house: House) -> None:
    """Ending an account's sessions leaves others' and its keys alone."""
    house.accounts.add("bob", "builder")
    ids = [
        house.sign_in.sign_in(*who, "192.0.2.1")[1]
        for who in (("ada", "correct"), ("bob", "builder"))
    ]
    _, key = house.keys.create("ada")
    house.accounts.end_sessions("ADA")
    assert [house.sessions.caller(each) is None for each in ids] == [True, False]
    assert house.keys.caller(key) is not None


def test_names(house: House) -> None:
    """Accounts are named by their ids, and what is none's is not."""
    ada = house.accounts.get("ada")
    assert house.accounts.names([ada.id, "nobody"]) == {ada.id: "ada"}
    assert house.accounts.names([]) == {}


def test_an_operators_own_orhan(house: House) -> None:
    """An account of the demo's name that an operator has made is not told to have its password."""
    house.accounts.add("orhan", "another password")
    house.accounts.ensure_demo_account()
    assert not house.accounts.is_demo_open()
