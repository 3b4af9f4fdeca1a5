"""API keys: shown once, kept as digests, revoked for good."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.accounts.conftest import House

from stopgap.accounts.account import AccountNotFound, Caller
from stopgap.accounts.keys import (
    KEYS_MAX,
    KeyLabelInvalid,
    KeyNotFound,
    KeyQuotaReached,
    Keys,
)
from stopgap.accounts.permissions import Role
from stopgap.clock import RandomIds


def test_a_key_is_its_account(house: House) -> None:
    """A key stands for its account, with that account's role, and for no sign-in."""
    key, secret = house.keys.create("ADA", "nightly job")
    assert re.fullmatch(rf"sk_{key.id}_[0-9a-f]{{64}}", secret)
    account = house.accounts.get("ada")
    assert house.keys.caller(secret) == Caller(
        id=account.id, name="ada", role=Role.CLIENT, account=True, password_length=None
    )
    assert (key.account_id, key.account_name, key.label) == (account.id, "ada", "nightly job")


def test_only_the_whole_key_is_one(house: House) -> None:
    """A key with another id, another secret, other capitals or anything around it is none."""
    _, one = house.keys.create("ada")
    _, other = house.keys.create("ada")
    mixed = f"sk_{one.split('_')[1]}_{other.split('_')[2]}"
    last = "0" if one[-1] != "0" else "1"
    for wrong in (mixed, one[:-1] + last, one[:-1], one + "0", one.upper(), f" {one}", f"{one}\n"):
        assert house.keys.caller(wrong) is None
    assert house.keys.caller(one) is not None


def test_keys_are_listed_without_their_secret(house: House) -> None:
    """Keys are listed for one account or for all, the newest first, and never whole."""
    house.accounts.add("bob", "builder")
    made = []
    for name in ("ada", "bob", "ada"):
        made.append(house.keys.create(name, name.upper())[0])
        house.clock.forward(seconds=1)
    assert house.keys.list() == [made[2], made[1], made[0]]
    assert house.keys.list("Ada") == [made[2], made[0]]


def test_another_account_of_the_same_name(house: House) -> None:
    """Who asks while their account is deleted and added anew gets nothing of the new one."""
    before = house.accounts.get("ada")
    house.accounts.delete("ada")
    house.accounts.add("ada", "another person")
    made, _ = house.keys.create("ada")
    with pytest.raises(AccountNotFound):
        house.keys.create("ada", account_id=before.id)
    with pytest.raises(AccountNotFound):
        house.keys.list("ada", account_id=before.id)
    assert house.keys.list("ada", account_id=house.accounts.get("ada").id) == [made]


def test_a_revoked_key_is_none(house: House) -> None:
    """A revoked key is worthless, and there is nothing left to revoke."""
    key, secret = house.keys.create("ada")
    house.keys.revoke(key.id)
    assert house.keys.caller(secret) is None
    with pytest.raises(KeyNotFound, match=key.id):
        house.keys.revoke(key.id)


def test_a_changed_secret(house: House) -> None:
    """Keys go on while the secret that they were made under is the previous one, and no longer."""

    def keys(secret: bytes, previous: bytes | None = None) -> Keys:
        return Keys(house.database, house.clock, RandomIds(), secret=secret, previous=previous)

    _, old = keys(b"one").create("ada")
    changed = keys(b"two", previous=b"one")
    _, new = changed.create("ada")
    wrong = old[:-1] + ("0" if old[-1] != "0" else "1")
    assert [changed.caller(each) is not None for each in (old, new, wrong)] == [True, True, False]
    assert [keys(b"two").caller(each) is not None for each in (old, new)] == [False, True]
    assert keys(b"one").caller(new) is None


@pytest.mark.parametrize("key_id", ["", "0" * 15, "0" * 17, "\0", "G" * 16, "0" * 16 + "\n"])
def test_what_can_be_no_keys_id(house: House, key_id: str) -> None:
    """Whatever an address says in an id's place, there is no such key, in any database."""
    with pytest.raises(KeyNotFound):
        house.keys.revoke(key_id)


def test_no_more_keys_at_once_than_there_may_be(house: House) -> None:
    """However many are asked for in one moment, an account has no more than it may."""
    for _ in range(KEYS_MAX - 3):
        house.keys.create("ada")

    def create(_number: int) -> bool:
        try:
            house.keys.create("ada")
        except KeyQuotaReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(12))) == 3
    house.accounts.disable("ada")
    house.keys.revoke(house.keys.list("ada")[0].id)
    house.keys.create("ada")  # an operator may, for the time when it is enabled


def test_nobody_revokes_anothers_key(house: House) -> None:
    """Asked for by another account, a key is not there, and goes on working."""
    bob = house.accounts.add("bob", "builder")
    key, secret = house.keys.create("ada")
    with pytest.raises(KeyNotFound):
        house.keys.revoke(key.id, bob.id)
    assert house.keys.caller(secret) is not None
    house.keys.revoke(key.id, key.account_id)
    assert house.keys.caller(secret) is None


def test_last_use_is_known_to_the_minute(house: House) -> None:
    """A key's last use is noted, at most once a minute; before the first there is none."""
    key, secret = house.keys.create("ada")
    start = house.clock.now()
    assert key.last_used_at is None
    for seconds, noted in ((0, 0), (59, 0), (1, 60)):
        house.clock.forward(seconds=seconds)
        house.keys.caller(secret)
        (listed,) = house.keys.list()
        assert listed.last_used_at is not None
        assert listed.last_used_at - start == timedelta(seconds=noted)


@pytest.mark.parametrize("label", ["x" * 101, "a\x1b[31m", "a\nb", "\ud800"])
def test_a_label_is_a_line(label: str, house: House) -> None:
    """A label is a hundred writable characters at most, so that a list of keys stays one."""
    with pytest.raises(KeyLabelInvalid):
        house.keys.create("ada", label)
    assert house.keys.list() == []
