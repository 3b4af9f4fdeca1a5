"""The accounts of a server, as `wiring` puts them together."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.fakes import FakeClock

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.keys import Keys
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.passwords import Passwords
from stopgap.accounts.sessions import Sessions
from stopgap.accounts.sign_in import SignIn
from stopgap.accounts.throttling import Throttle
from stopgap.clock import RandomIds
from stopgap.storage.database import Database

SECRET = b"a secret of the tests, long enough"
FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything of accounts, on one database."""

    database: Database
    clock: FakeClock
    accounts: Accounts
    sessions: Sessions
    keys: Keys
    sign_in: SignIn


Build = Callable[..., House]


@pytest.fixture
def build(database: Database, clock: FakeClock) -> Build:
    """Give what builds a house; a second one is another process on the same database."""

    def build(
        *,
        guests: bool = False,
        rules: bool = False,
        failures: int = FAILURES,
        demo_account: bool = True,
    ) -> House:
        ids = RandomIds()
        passwords = Passwords(rules=rules)
        sessions = Sessions(
            database, clock, ids, secret=SECRET, hours=336, guest_hours=24, guests=True
        )
        return House(
            database=database,
            clock=clock,
            accounts=Accounts(database, clock, ids, passwords=passwords),
            sessions=sessions,
            keys=Keys(database, clock, ids, secret=SECRET),
            sign_in=SignIn(
                database,
                clock,
                sessions=sessions,
                passwords=passwords,
                throttle=Throttle(MemoryCounts(), secret=SECRET, failures=failures),
                secret=SECRET,
                guests=guests,
                demo_account=demo_account,
            ),
        )

    return build


@pytest.fixture
def house(build: Build) -> House:
    """Give a production's accounts: no guests. `ada` has the password `correct`."""
    built = build()
    built.accounts.add("ada", "correct")
    return built


@pytest.fixture
def demo(build: Build) -> House:
    """Give a demo's accounts: guests are welcome, and `orhan` is there."""
    built = build(guests=True)
    built.accounts.ensure_demo_account()
    return built
