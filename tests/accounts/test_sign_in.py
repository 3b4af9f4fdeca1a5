"""Signing in: accounts by their password, guests by any, and guesses by none."""

import threading
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select, update
from tests.accounts.conftest import FAILURES, Build, House

from stopgap.accounts import store, throttling
from stopgap.accounts.account import AccountNameInvalid
from stopgap.accounts.accounts import Accounts
from stopgap.accounts.passwords import HASHER, PasswordTooLong
from stopgap.accounts.permissions import Role
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.accounts.store.tables import ACCOUNTS
from stopgap.errors import StopgapError
from stopgap.storage.columns import metadata
from stopgap.storage.database_faults import DatabaseUnreachable

HERE = "192.0.2.1"
THERE = "198.51.100.7"


def _outcome(house: House, name: str, password: str, address: str = HERE) -> str:
    try:
        caller, _ = house.sign_in.sign_in(name, password, address)
    except StopgapError as error:
        return error.code
    return caller.role


def _told(house: House, name: str, password: str, address: str = HERE) -> tuple[object, ...]:
    with pytest.raises(StopgapError) as caught:
        house.sign_in.sign_in(name, password, address)
    error = caught.value
    return type(error), error.detail, error.faults, error.retry_after is None


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("ada", "correct", "client"),
        ("ADA", "correct", "client"),
        ("ada", "Correct", "sign-in-refused"),
        ("ada", "", "sign-in-refused"),
        ("nobody", "correct", "sign-in-refused"),
        ("shut", "correct", "sign-in-refused"),
        ("boss", "correct", "operator"),
        ("", "correct", "account-name-invalid"),
        ("a\x00", "correct", "account-name-invalid"),
        ("ada", "x" * 1_025, "password-too-long"),
        ("nobody", "x" * 1_025, "password-too-long"),
    ],
)
def test_who_gets_in(name: str, password: str, expected: str, house: House) -> None:
    """An account gets in by its own password while it is enabled; without guests nobody else."""
    house.accounts.add("boss", "correct", Role.OPERATOR)
    house.accounts.add("shut", "correct")
    house.accounts.disable("shut")
    assert _outcome(house, name, password) == expected


def test_refusals_are_the_same_in_every_word(house: House) -> None:
    """Unknown names, wrong passwords and disabled accounts are told the same, throttled or not."""
    house.accounts.add("shut", "correct")
    house.accounts.disable("shut")
    for _ in range(FAILURES):
        told = {
            _told(house, "ada", "wrong"),
            _told(house, "nobody", "wrong"),
            _told(house, "shut", "correct"),
        }
        assert told == {(SignInRefused, "The username or the password is wrong.", (), True)}
    waits = []
    for name in ("ada", "nobody", "shut"):
        with pytest.raises(SignInThrottled) as caught:
            house.sign_in.sign_in(name, "wrong", HERE)
        waits.append(caught.value.retry_after)
    assert all(wait is not None and 890 <= wait <= 900 and wait == int(wait) for wait in waits)


def test_a_throttled_name_waits_even_with_its_password(house: House) -> None:
    """After too many failures even the right password waits, from that address alone."""
    for _ in range(FAILURES):
        assert _outcome(house, "ada", "wrong") == "sign-in-refused"
    assert _outcome(house, "ada", "correct") == "sign-in-throttled"
    assert _outcome(house, "ADA", "correct") == "sign-in-throttled"
    assert _outcome(house, "ada", "correct", THERE) == "client"


def test_an_outage_is_nobodys_failure(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody could tell whether a password was right, it is not counted as a wrong one."""

    def away(*_: object) -> None:
        raise DatabaseUnreachable("the database", "it is away")

    for _ in range(2 * FAILURES):
        with monkeypatch.context() as outage:
            outage.setattr(store, "find_login", away)
            assert _outcome(house, "ada", "wrong") == "database-unreachable"
    assert _outcome(house, "ada", "correct") == "client"


def test_success_forgets_the_failures(house: House) -> None:
    """Who gets it right in the end has all guesses again."""
    for _ in range(5):
        assert _outcome(house, "ada", "wrong") == "sign-in-refused"
        assert _outcome(house, "ada", "wrong") == "sign-in-refused"
        assert _outcome(house, "ada", "correct") == "client"


def _besiege(house: House, name: str) -> None:
    """Guess at one name from so many addresses that it is throttled everywhere."""
    for number in range(FAILURES * 10 + 2):
        last = _outcome(house, name, "wrong", f"203.0.113.{number}")
    assert last == "sign-in-throttled"


def test_the_owner_is_not_locked_out(house: House) -> None:
    """Guesses from all over the world stop strangers, not who has signed in from there before."""
    house.sign_in.sign_in("ada", "correct", "2001:db8::1")
    _besiege(house, "ada")
    assert _outcome(house, "ada", "correct", THERE) == "sign-in-throttled"
    assert _outcome(house, "ada", "correct", "2001:db8::2") == "client"


def test_an_address_is_forgotten_after_a_month(house: House) -> None:
    """An address that an account has not used for 30 days is a stranger's again."""
    house.sign_in.sign_in("ada", "correct", HERE)
    house.clock.forward(days=30)
    house.sessions.sweep()
    _besiege(house, "ada")
    assert _outcome(house, "ada", "correct") == "sign-in-throttled"


def test_another_accounts_address_is_a_strangers(house: House) -> None:
    """That somebody signed in from an address opens it for no other account."""
    house.accounts.add("mallory", "mine")
    house.sign_in.sign_in("mallory", "mine", HERE)
    _besiege(house, "ada")
    assert _outcome(house, "ada", "correct") == "sign-in-throttled"


def test_a_shared_account_stays_open(demo: House) -> None:
    """Nobody can close the demo account for everybody by failing from many addresses."""
    for number in range(FAILURES * 10 + 5):
        assert _outcome(demo, "orhan", "wrong", f"203.0.113.{number}") == "sign-in-refused"
    assert _outcome(demo, "orhan", "12345", THERE) == "client"


def test_a_shared_account_that_has_become_somebodys(demo: House) -> None:
    """With a password of its own it is guarded like others, at a former visitor's address too."""
    assert _outcome(demo, "orhan", "12345", THERE) == "client"
    demo.accounts.set_password("orhan", "mine")
    assert _outcome(demo, "orhan", "mine") == "client"
    _besiege(demo, "orhan")
    assert _outcome(demo, "orhan", "mine", THERE) == "sign-in-throttled"
    assert _outcome(demo, "orhan", "mine") == "client"


def test_guesses_that_come_together_do_not_slip_through(house: House) -> None:
    """Of thirty guesses at once as many are looked at as one after another would be."""
    outcomes: list[str] = []
    barrier = threading.Barrier(30)

    def guess() -> None:
        barrier.wait()
        outcomes.append(_outcome(house, "ada", "wrong"))

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("sign-in-refused") == FAILURES
    assert outcomes.count("sign-in-throttled") == 30 - FAILURES


def test_right_passwords_that_come_together_are_no_failures(house: House) -> None:
    """Many programs of one account may sign in at once."""
    outcomes: list[str] = []
    barrier = threading.Barrier(12)

    def sign_in() -> None:
        barrier.wait()
        outcomes.append(_outcome(house, "ada", "correct"))

    threads = [threading.Thread(target=sign_in) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["client"] * 12


@pytest.mark.parametrize("name", ["anybody", "Anybody", "名前", "<b>", "x" * 150])
def test_any_other_name_is_a_guest(name: str, demo: House) -> None:
    """In the demo a name that is no account's is welcomed, with any password, as a guest."""
    caller, session_id = demo.sign_in.sign_in(name, "pä\U0001f642", HERE)
    assert (caller.name, caller.role, caller.account) == (name, Role.GUEST, False)
    assert caller.password_length == 3
    assert demo.sessions.caller(session_id) == caller
    assert len(demo.accounts.list()) == 1


def test_guests_are_strangers_to_each_other(demo: House) -> None:
    """Two guests of one name are two, under ids that nobody can guess."""
    (one, _), (other, _) = (demo.sign_in.sign_in("anybody", "x", HERE) for _ in range(2))
    assert one.id != other.id
    assert len(one.id) == len(other.id) == 64


def test_an_unknown_name_is_never_throttled_where_guests_are_welcome(demo: House) -> None:
    """Where any name is welcome there is nothing to guess, whatever failed before."""
    for _ in range(FAILURES * 12):
        _outcome(demo, "orhan", "wrong")
        assert _outcome(demo, "anybody", "x") == "guest"
    assert _outcome(demo, "orhan", "12345") == "sign-in-throttled"


def test_a_disabled_account_welcomes_no_guest(demo: House) -> None:
    """A name stays its account's while that is disabled."""
    demo.accounts.disable("orhan")
    assert _outcome(demo, "orhan", "12345") == "sign-in-refused"


def test_a_guest_stays_a_guest(demo: House) -> None:
    """A name that becomes an account's leaves the guest who used it a guest."""
    guest, session_id = demo.sign_in.sign_in("ada", "x", HERE)
    account = demo.accounts.add("ada", "correct")
    assert demo.sessions.caller(session_id) == guest
    assert _outcome(demo, "ada", "x") == "sign-in-refused"
    demo.accounts.delete("ada")
    assert guest.id != account.id
    assert demo.sessions.caller(session_id) == guest


def test_who_has_not_signed_in_can_be_a_guest(demo: House) -> None:
    """An upload without a session starts a guest's, who has typed no password."""
    with demo.sign_in.welcoming_guest(HERE) as (caller, session_id):
        assert demo.sessions.caller(session_id) is None
    assert (caller.role, caller.password_length) == (Role.GUEST, None)
    assert demo.sessions.caller(session_id) == caller


def test_who_came_for_nothing_is_no_guest(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what a stranger wanted fails, no session begins, and none is counted."""
    monkeypatch.setattr(throttling, "GUESTS", 1)
    demo = build(guests=True)
    for _ in range(2):
        with (
            pytest.raises(ZeroDivisionError),
            demo.sign_in.welcoming_guest(HERE) as (_, session_id),
        ):
            assert 1 / 0
        assert demo.sessions.caller(session_id) is None
    with demo.sign_in.welcoming_guest(HERE):
        pass
    with pytest.raises(SignInThrottled), demo.sign_in.welcoming_guest(HERE):
        pass


def _stored_hash(house: House, name: str) -> str:
    with house.database.read() as connection:
        statement = select(ACCOUNTS.c.password_hash).where(ACCOUNTS.c.folded == name)
        return str(connection.execute(statement).scalar_one())


def test_an_old_hash_is_renewed(house: House) -> None:
    """A hash of old parameters is replaced at the next right sign-in, and only then."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct")
    with house.database.write() as connection:
        connection.execute(update(ACCOUNTS).values(password_hash=weak))
    _outcome(house, "ada", "wrong")
    assert _stored_hash(house, "ada") == weak
    assert _outcome(house, "ada", "correct") == "client"
    renewed = _stored_hash(house, "ada")
    assert extract_parameters(renewed) == extract_parameters(HASHER.hash("x"))
    assert _outcome(house, "ada", "correct") == "client"
    assert _stored_hash(house, "ada") == renewed


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_password("ada", "correct"),
        lambda accounts: accounts.disable("ada"),
        lambda accounts: accounts.delete("ada"),
    ],
)
def test_an_account_is_held_as_it_was_looked_at(
    change: Callable[[Accounts], None], house: House
) -> None:
    """An account that changes while its password is checked lets nobody in by the old state."""
    with house.database.read() as connection:
        login = store.find_login(connection, "ada")
    assert login is not None
    with house.database.write() as connection:
        assert store.hold_login(connection, login)
    change(house.accounts)
    with house.database.write() as connection:
        assert not store.hold_login(connection, login)


def test_nothing_secret_is_kept_in_the_clear(build: Build) -> None:
    """No password, session id, key, address or secret stands in any column of any table."""
    house = build(guests=True)
    house.accounts.add("ada", "a password of ada")
    house.accounts.set_password("ada", "another password")
    _, of_account = house.sign_in.sign_in("ada", "another password", HERE)
    _, of_guest = house.sign_in.sign_in("anybody", "a guest's password", HERE)
    _, key = house.keys.create("ada")
    house.sessions.caller(of_account)
    house.keys.caller(key)
    secrets = {
        "a password of ada",
        "another password",
        "a guest's password",
        of_account,
        of_guest,
        key,
        key.rsplit("_", 1)[1],
        HERE,
        "a secret of the tests, long enough",
    }
    with house.database.read() as connection:
        kept = [
            str(value)
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
        ]
    assert len(kept) > 30
    assert [secret for secret in secrets for value in kept if secret in value] == []


def test_what_nobody_can_have_is_said_before_anything_is_looked_up(house: House) -> None:
    """A name or password that no account can have counts as no failure."""
    for _ in range(FAILURES + 1):
        with pytest.raises(PasswordTooLong):
            house.sign_in.sign_in("ada", "x" * 1_025, HERE)
        with pytest.raises(AccountNameInvalid):
            house.sign_in.sign_in("ada\n", "x", HERE)
    assert _outcome(house, "ada", "correct") == "client"


def test_guests_of_one_network_count_together(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has a whole network of IPv6 brings no more guests than who has one address."""
    monkeypatch.setattr(throttling, "GUESTS", 2)
    house = build(guests=True)
    with house.sign_in.welcoming_guest("2001:db8::1"):
        pass
    house.sign_in.sign_in("anybody", "anything", "2001:db8::2")
    with pytest.raises(SignInThrottled), house.sign_in.welcoming_guest("2001:db8::3"):
        pass
    with pytest.raises(SignInThrottled):
        house.sign_in.sign_in("anybody", "anything", "2001:db8::4")
