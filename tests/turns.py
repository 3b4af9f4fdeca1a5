"""Turns: tests run beside each other, but for those that measure time, which run alone.

`make test` runs two tests at once (pytest-xdist). A test with the mark `alone` waits until no other
runs, and the others wait for it: behind a gate, so that it is not overtaken for ever.
"""

import fcntl
from collections.abc import Generator
from pathlib import Path

import pytest

GATE, ROOM = Path(__file__), Path(__file__).with_name("conftest.py")
"""Files that are there in any case; nothing but their locks is of interest."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, and what it needs before and after, in its turn."""
    alone = item.get_closest_marker("alone") is not None
    with GATE.open("rb") as gate, ROOM.open("rb") as room:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        return (yield)
