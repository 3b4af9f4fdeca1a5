"""Counts that processes share: they agree soon, end in time, and survive a server that is away."""

import logging
import time
from collections.abc import Callable, Collection, Mapping

import pytest
from limits import RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter
from tests.relay import Relay, relayed
from tests.valkeys import PASSWORD, ValkeyServer

from stopgap.accounts.counts import open_counts
from stopgap.accounts.shared_counts import CountServer, Increment, SharedCounts, Total

SECRET = b"secret"
FIVE = RateLimitItemPerSecond(5, 900)


def process_at(url: str, secret: bytes = SECRET) -> SharedCounts:
    """Make what one process counts with."""
    counts = open_counts(url, secret)
    assert isinstance(counts, SharedCounts)
    return counts


def hits(counts: SharedCounts, number: int, key: str = "ann") -> int:
    """Count so many times; tell how many of these were not too many."""
    limiter = FixedWindowRateLimiter(counts)
    return sum(limiter.hit(FIVE, key) for _ in range(number))


def test_processes_agree(valkey: ValkeyServer) -> None:
    """What each has counted counts for all: a limit holds over all of them together."""
    processes = [process_at(valkey.url) for _ in range(3)]
    allowed = 0
    for _ in range(10):
        for each in processes:
            allowed += hits(each, 1)
            each.exchange()

    assert FIVE.amount <= allowed < FIVE.amount + len(processes)  # who asks is told afterwards
    assert [hits(each, 1) for each in processes] == [0, 0, 0]
    assert [hits(each, 1, "bob") for each in processes] == [1, 1, 1]


def test_a_count_ends_when_it_began_first(valkey: ValkeyServer) -> None:
    """All counts of one key end together: when that of who counted first does."""
    short = RateLimitItemPerSecond(1, 2)
    a, b = process_at(valkey.url), process_at(valkey.url)
    assert FixedWindowRateLimiter(a).hit(short, "ann")
    a.exchange()
    time.sleep(1.2)
    assert FixedWindowRateLimiter(b).hit(short, "ann")
    b.exchange()
    assert not FixedWindowRateLimiter(b).hit(short, "ann")
    time.sleep(1.0)

    assert valkey.keys() == {}
    assert FixedWindowRateLimiter(b).hit(short, "ann")


def test_what_is_forgotten_is_forgotten_everywhere(valkey: ValkeyServer) -> None:
    """A right password ends the failures before it, also those that others have counted."""
    a, b = process_at(valkey.url), process_at(valkey.url)
    hits(a, 4)
    a.exchange()
    hits(b, 1)
    b.exchange()
    FixedWindowRateLimiter(a).clear(FIVE, "ann")
    hits(a, 1)
    a.exchange()
    assert [count for count, _ in valkey.keys().values()] == ["1"]
    hits(b, 1)  # of its old count it is the last
    b.exchange()

    assert hits(b, 4) == 3


def test_what_is_given_back_is_given_back_everywhere(valkey: ValkeyServer) -> None:
    """An attempt that was no failure after all is none anywhere."""
    a, b = process_at(valkey.url), process_at(valkey.url)
    hits(a, 3)
    a.exchange()
    FixedWindowRateLimiter(a).hit(FIVE, "ann", cost=-1)
    a.exchange()
    hits(b, 1)
    b.exchange()

    assert hits(b, 3) == 2


class Slow:
    """A server that takes its time, in which something else is done."""

    def __init__(self, server: CountServer, meanwhile: Callable[[], object]) -> None:
        self._server = server
        self._meanwhile = meanwhile

    def exchange(
        self, forgotten: Collection[str], increments: Mapping[str, Increment]
    ) -> Mapping[str, Total]:
        """Exchange, in the end."""
        self._meanwhile()
        return self._server.exchange(forgotten, increments)

    def ping(self) -> None:
        """Answer."""


def test_counts_that_come_meanwhile_are_kept(valkey: ValkeyServer) -> None:
    """What is counted while an exchange is under way is neither lost nor told twice."""
    counts = process_at(valkey.url)
    server = counts._server
    hits(counts, 1)
    counts._server = Slow(server, lambda: hits(counts, 1))
    counts.exchange()
    assert FixedWindowRateLimiter(counts).get_window_stats(FIVE, "ann").remaining == 3
    counts._server = server
    counts.exchange()
    assert [count for count, _ in valkey.keys().values()] == ["2"]
    assert hits(counts, 4) == 3


def test_what_is_forgotten_meanwhile_is_forgotten(valkey: ValkeyServer) -> None:
    """A count that is forgotten while an exchange is under way does not come back with it."""
    counts = process_at(valkey.url)
    limiter = FixedWindowRateLimiter(counts)
    hits(counts, 4)
    counts._server = Slow(counts._server, lambda: limiter.clear(FIVE, "ann"))
    counts.exchange()
    assert hits(counts, 6) == 5


def test_nobody_is_named(valkey: ValkeyServer) -> None:
    """The server is told no names and addresses, each for as long as it counts, and no longer."""
    a, other = process_at(valkey.url), process_at(valkey.url, b"another")
    hits(a, 1, "address 192.0.2.1")
    hits(other, 1, "address 192.0.2.1")
    a.exchange()
    other.exchange()

    kept = valkey.keys()
    assert len(kept) == 2, "who has another secret has other counts"
    for key, (count, seconds) in kept.items():
        assert key.startswith("stopgap:count:")
        assert "192.0.2.1" not in key
        assert (count, 890 < seconds <= 900) == ("1", True)


def test_a_server_that_is_away(valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    """Each counts by itself meanwhile, one line says so, and nothing counted is lost."""
    with relayed(valkey.url) as relay:
        a, b = (process_at(_through(relay, valkey)) for _ in range(2))
        hits(a, 1)
        a.exchange()
        relay.cut()
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert hits(a, 1) == 1
                a.exchange()
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert PASSWORD not in caplog.text
        relay.mend()
        a.exchange()
        assert [count for count, _ in valkey.keys().values()] == ["4"]
        hits(b, 1)
        b.exchange()
        assert hits(b, 1) == 0


@pytest.mark.parametrize("told", ["before", "meanwhile"])
def test_a_count_that_ends_while_the_server_is_away(valkey: ValkeyServer, told: str) -> None:
    """What was counted before it began anew is not told with it, and counts for nobody again."""
    short = RateLimitItemPerSecond(5, 2)
    with relayed(valkey.url) as relay:
        counts = process_at(_through(relay, valkey))
        limiter, server = FixedWindowRateLimiter(counts), counts._server
        relay.cut()

        def begin_anew() -> None:
            time.sleep(2.1)
            limiter.hit(short, "ann")

        assert [limiter.hit(short, "ann") for _ in range(4)] == [True] * 4
        if told == "meanwhile":
            counts._server = Slow(server, begin_anew)
            counts.exchange()
            counts._server = server
        else:
            counts.exchange()
            begin_anew()
        relay.mend()
        counts.exchange()
        assert [count for count, _ in valkey.keys().values()] == ["1"]
        assert limiter.get_window_stats(short, "ann").remaining == 4


def test_a_host_that_cannot_be_one(caplog: pytest.LogCaptureFixture) -> None:
    """A name that leads nowhere, or cannot be one at all, is a server that is away."""
    for host in ("nowhere.invalid", "no..where", "x" * 300):
        counts = process_at(f"valkey://{host}")
        assert hits(counts, 1) == 1
        counts.exchange()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3


def test_nobody_waits_for_a_server_that_sleeps(valkey: ValkeyServer) -> None:
    """To count takes no time at all, whatever the server does; an exchange gives up."""
    counts = process_at(valkey.url)
    hits(counts, 1)
    counts.exchange()
    valkey.pause(2.5)
    hits(counts, 1)
    began = time.monotonic()
    counts.exchange()
    assert 0.9 < time.monotonic() - began < 2.4
    began = time.monotonic()
    hits(counts, 100)
    assert time.monotonic() - began < 0.5
    time.sleep(2)
    counts.exchange()

    assert [count for count, _ in valkey.keys().values()] == ["102"]


def _through(relay: Relay, valkey: ValkeyServer) -> str:
    """Name a server by the relay in front of it."""
    return valkey.url.rpartition("@")[0] + "@" + relay.endpoint.removeprefix("http://")
