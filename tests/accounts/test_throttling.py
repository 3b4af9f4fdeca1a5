"""Throttling: how many guesses pass."""

import threading
import time

import pytest

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.throttling import GUESTS, WIDER, Throttle


def _throttle(failures: int = 3, seconds: int = 900) -> Throttle:
    return Throttle(MemoryCounts(), secret=b"secret", failures=failures, seconds=seconds)


def _passes(throttle: Throttle, name: str, network: str, *, everywhere: bool = True) -> bool:
    return not throttle.begin(name, network, everywhere=everywhere).wait


def test_a_name_from_an_address_has_its_guesses() -> None:
    """So many guesses pass and no more; other names and addresses still have theirs."""
    throttle = _throttle()
    assert [_passes(throttle, "ada", "a") for _ in range(5)] == [True] * 3 + [False] * 2
    assert _passes(throttle, "bob", "a")
    assert _passes(throttle, "ada", "b")


def test_the_wait_is_told_in_whole_seconds() -> None:
    """Who is refused is told the rest of the 15 minutes."""
    throttle = _throttle(failures=1)
    throttle.begin("ada", "a", everywhere=True)
    assert throttle.begin("ada", "a", everywhere=True).wait in (899, 900)


def test_the_pause_ends() -> None:
    """When the time is over there are guesses again."""
    throttle = _throttle(failures=1, seconds=1)
    assert _passes(throttle, "ada", "a")
    assert not _passes(throttle, "ada", "a")
    time.sleep(1.1)
    assert _passes(throttle, "ada", "a")


def test_success_is_no_failure() -> None:
    """Right passwords, however many, use no guesses, and give back those of before."""
    throttle = _throttle()
    for _ in range(100):
        for _ in range(2):
            throttle.begin("ada", "a", everywhere=True)
        attempt = throttle.begin("ada", "a", everywhere=True)
        if attempt.wait:
            break
        throttle.succeed(attempt)
    # Twice as many failures as successes: after 15 rounds the address has had its 30 failures.
    assert attempt.wait
    fresh = _throttle()
    for _ in range(100):
        attempt = fresh.begin("ada", "a", everywhere=True)
        assert not attempt.wait
        fresh.succeed(attempt)


def test_an_address_has_its_guesses_over_all_names() -> None:
    """Who tries one password on many names is stopped by the address."""
    throttle = _throttle()
    passed = [_passes(throttle, f"name {number}", "a") for number in range(3 * WIDER + 5)]
    assert passed == [True] * 3 * WIDER + [False] * 5


def test_a_name_has_its_guesses_over_all_addresses() -> None:
    """Who tries one name from many addresses is stopped by the name."""
    throttle = _throttle()
    passed = [_passes(throttle, "ada", f"address {number}") for number in range(3 * WIDER + 5)]
    assert passed == [True] * 3 * WIDER + [False] * 5
    assert _passes(throttle, "ada", "home", everywhere=False)


def test_a_refused_guess_counts_for_nothing() -> None:
    """Who is refused for one reason does not use up what others are counted by."""
    throttle = _throttle(failures=1)
    for _ in range(100):
        throttle.begin("ada", "a", everywhere=True)
    assert [_passes(throttle, f"name {n}", "a") for n in range(10)] == [True] * 9 + [False]
    assert _passes(throttle, "ada", "b")


def test_a_guess_that_is_taken_back_makes_room() -> None:
    """Once an attempt is taken back there is a guess again, whoever was refused meanwhile."""
    throttle = _throttle(failures=1)
    attempt = throttle.begin("ada", "a", everywhere=True)
    assert not _passes(throttle, "ada", "a")
    throttle.take_back(attempt)
    assert _passes(throttle, "ada", "a")


@pytest.mark.parametrize("everywhere", [True, False])
def test_guesses_that_come_together_do_not_slip_through(everywhere: bool) -> None:  # of a table
    """Of a hundred guesses at once ten pass a limit of ten."""
    throttle = _throttle(failures=10)
    barrier = threading.Barrier(100)
    passed: list[bool] = []

    def guess() -> None:
        barrier.wait()
        passed.append(_passes(throttle, "ada", "a", everywhere=everywhere))

    threads = [threading.Thread(target=guess) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(True) == 10


def test_guests_have_an_end() -> None:
    """One address cannot fill the disk with guests."""
    throttle = _throttle()
    waits = [throttle.welcome("a").wait for _ in range(GUESTS + 1)]
    assert waits[:-1] == [0] * GUESTS
    assert waits[-1] > 0
    assert not throttle.welcome("b").wait
