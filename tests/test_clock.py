"""Ids sort by time, and secrets cannot be guessed."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from itertools import chain
from uuid import UUID

from stopgap.clock import RandomIds, SystemClock


def test_ids_are_version_7() -> None:
    """An id is a UUID of version 7 and the RFC's variant, no two alike."""
    ids = [RandomIds().new() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    for made in ids:
        assert UUID(made).version == 7
        assert UUID(made).variant == "specified in RFC 4122"


def test_ids_sort_by_time() -> None:
    """An id made later, by a millisecond or more, sorts later."""
    first = RandomIds().new()
    time.sleep(0.002)
    assert first < RandomIds().new()


def test_ids_of_one_source_sort_by_their_making() -> None:
    """However fast a process makes ids, they are in order, and no two alike."""
    ids = RandomIds()
    made = [ids.new() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {UUID(each).version for each in made} == {7}


def test_ids_of_many_threads() -> None:
    """Threads that share a source are never given the same id."""
    ids = RandomIds()
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: [ids.new() for _ in range(5_000)], range(4)))
    assert len(set(chain(*made))) == 20_000


def test_secrets() -> None:
    """A secret has 256 bits, in letters that any file system and address takes."""
    secret = RandomIds().secret()
    assert len(bytes.fromhex(secret)) == 32
    assert secret != RandomIds().secret()


def test_now_has_a_zone() -> None:
    """The time of day is in UTC and says so."""
    assert SystemClock().now().tzinfo is UTC
