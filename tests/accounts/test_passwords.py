"""Passwords: hashes and rules."""

import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from stopgap.accounts.passwords import (
    LENGTH_MAX,
    Passwords,
    PasswordTooLong,
    PasswordTooWeak,
    Turn,
    _dummy,
)

STRICT = Passwords(rules=True)
LAX = Passwords(rules=False)


def test_a_hash_is_owasps_argon2id() -> None:
    """A hash is Argon2id with 19 MiB, two rounds, one lane; the made-up one costs the same."""
    made = extract_parameters(Turn().hash("a password"))
    assert (made.type, made.memory_cost, made.time_cost) == (Type.ID, 19_456, 2)
    assert made.parallelism == 1
    assert extract_parameters(_dummy()) == made


def test_only_the_password_matches() -> None:
    """A hash matches its password alone, and no two hashes of one password are the same."""
    turn = Turn()
    kept = turn.hash("Correct ")
    assert turn.matches(kept, "Correct ")
    assert kept != turn.hash("Correct ")
    for other in ("correct ", "Correct", "", "Correct  "):
        assert not turn.matches(kept, other)


def test_nothing_matches_no_hash() -> None:
    """Without an account no password is right."""
    assert not Turn().matches(None, "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("é", "e\u0301", True), ("①", "1", False), ("ﬁ", "fi", False), ("A", "a", False)],
)
def test_a_password_is_typed_in_one_way(one: str, other: str, same: bool) -> None:  # of a table
    """An accent counts the same however the keyboard sends it; nothing else is folded."""
    turn = Turn()
    assert turn.matches(turn.hash(one), other) is same


def test_half_a_surrogate_pair_can_be_a_password() -> None:
    """What JSON can send can be hashed."""
    turn = Turn()
    assert turn.matches(turn.hash("\ud800"), "\ud800")
    assert not turn.matches(turn.hash("\ud800"), "\ud801")


def test_old_parameters_are_noticed() -> None:
    """A hash of weaker parameters is told from one of today's."""
    turn = Turn()
    assert turn.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a"))
    assert not turn.is_outdated(turn.hash("a"))


def test_two_hash_at_once() -> None:
    """However many want to hash, two do at a time."""
    inside, most = 0, 0
    lock = threading.Lock()

    def hash_slowly() -> None:
        nonlocal inside, most
        with LAX.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=hash_slowly) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "fourteen chars",
        "e\u0301" * 14,
        "passwordpassword",
        "Password-2026-Password",
        "PASSWORD12345678",
        "123456789012345",
        "543210987654321",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababab",
        "correct horse battery staple",
        "qwertyuiopasdfghjkl",
        "stopgap stopgap stopgap",
        "Ada.Lovelace@example.org1",
        "ada lovelace password",
        "\uff50asswordpasswor\uff44",
        "               ",
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    """In production a password has 15 characters and is not made of common words and its name."""
    with pytest.raises(PasswordTooWeak) as caught:
        STRICT.check(password, "ada.lovelace@example.org")
    assert password not in caught.value.detail
    assert all(fault.received is None for fault in caught.value.faults)


@pytest.mark.parametrize(
    "password",
    [
        "violet teapots hum",
        "vzq kkrw pdlm xxe",
        "836491027364518",
        "lovelace sails north",
        "õhtune jalutuskäik",
        "x9!" * 5 + "kQ",
        "L" * 1_000 + "abcdef",
    ],
)
def test_no_composition_is_asked_for(password: str) -> None:
    """Any 15 characters that are not common are a password: no digits or signs are asked for."""
    STRICT.check(password, "ada.lovelace@example.org")


@pytest.mark.parametrize("passwords", [STRICT, LAX])
def test_a_password_has_an_end(passwords: Passwords) -> None:
    """1,024 characters are the most, in every profile."""
    passwords.check("x1ü4" * (LENGTH_MAX // 4), "ada")
    with pytest.raises(PasswordTooLong):
        passwords.check("x" * (LENGTH_MAX + 1), "ada")


def test_the_demo_takes_any_password() -> None:
    """Without the rules one character is enough, none is not."""
    LAX.check("1", "ada")
    with pytest.raises(PasswordTooWeak):
        LAX.check("", "ada")
