"""Turns: tests run beside each other, but for those that measure time, which run alone.

`make test` runs several tests at once (pytest-xdist). A test with the mark `alone` waits until no
other runs, and the others wait for it: behind a gate, so that it is not overtaken for ever. Modules
that have such tests come last: before them, nobody waits.
"""

import fcntl
from collections.abc import Generator
from pathlib import Path

import pytest

GATE, ROOM = Path(__file__), Path(__file__).with_name("conftest.py")
"""Files that are there in any case; nothing but their locks is of interest."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules with tests that run alone behind the others, each whole."""
    late = {item.path for item in items if _is_alone(item)}
    items.sort(key=lambda item: item.path in late)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, and what it needs before and after, in its turn."""
    alone = _is_alone(item)
    with GATE.open("rb") as gate, ROOM.open("rb") as room:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        return (yield)


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None
