"""Ids sort by time, and secrets cannot be guessed."""

import time
from datetime import UTC
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


def test_secrets() -> None:
    """A secret has 256 bits, in letters that any file system and address takes."""
    secret = RandomIds().secret()
    assert len(bytes.fromhex(secret)) == 32
    assert secret != RandomIds().secret()


def test_now_has_a_zone() -> None:
    """The time of day is in UTC and says so."""
    assert SystemClock().now().tzinfo is UTC
