"""Models that misbehave: over the row whose number of sellers is `BAD`, and over no other.

So each can be loaded and warmed up, as one that turns bad later.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from stopgap.contracts.madcompany import Sales

BAD = 13
GOOD = 3000


def is_bad(row: Sales) -> bool:
    """Tell whether a model is to misbehave over a row."""
    return row.seller_available == BAD


def misbehaving(bad: Callable[[], Any]) -> Callable[[Sales], Any]:
    """Make a model that does something over the bad row, and answers with what that gives."""
    return lambda row: bad() if is_bad(row) else GOOD + row.seller_available % 1000


def _hang() -> None:
    time.sleep(1_000)


def _hang_in_c() -> None:
    pow(7, 10**9)  # holds the interpreter's lock, and looks at no signal


def _spin() -> None:
    while True:
        pass


def _raise() -> None:
    raise ValueError("a model's own words")


class Unspeakable(Exception):
    """An error that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


def _raise_unspeakable() -> None:
    raise Unspeakable


class Panic(BaseException):
    """What a library in Rust raises where it has given up: no Exception, on purpose."""


def _panic() -> None:
    raise Panic("index out of bounds")


def _segfault() -> None:
    ctypes.string_at(0)


def _close_files() -> None:
    os.closerange(3, 256)
    time.sleep(1_000)


def _garble() -> None:
    """Write to whatever is open."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\x00" * 4096)
        except OSError:
            continue


def _print() -> int:
    os.write(1, b"\xff\x00 garbage without an end" * 1_000)
    sys.stderr.write("{}\n" * 5_000)
    return GOOD


def _fork() -> int:
    os.fork()  # both come back
    return GOOD


def _leave_a_child() -> int:
    if os.fork() == 0:
        time.sleep(1_000)
    return GOOD


def _leave_a_child_in_a_thread() -> int:
    thread = threading.Thread(target=_leave_a_child)
    thread.start()
    thread.join(1)
    return GOOD


def _nest() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


def _count() -> Iterator[int]:
    return count()


hangs = misbehaving(_hang)
hangs_in_c = misbehaving(_hang_in_c)
spins = misbehaving(_spin)
stops = misbehaving(lambda: os.kill(os.getpid(), signal.SIGSTOP))
raises = misbehaving(_raise)
raises_unspeakably = misbehaving(_raise_unspeakable)
segfaults = misbehaving(_segfault)
aborts = misbehaving(os.abort)
exits = misbehaving(lambda: sys.exit(3))
panics = misbehaving(_panic)
exits_at_once = misbehaving(lambda: os._exit(0))
kills_itself = misbehaving(lambda: os.kill(os.getpid(), signal.SIGKILL))
closes_files = misbehaving(_close_files)
garbles = misbehaving(_garble)
prints = misbehaving(_print)
forks = misbehaving(_fork)
leaves_a_child = misbehaving(_leave_a_child)
leaves_a_child_in_a_thread = misbehaving(_leave_a_child_in_a_thread)
not_a_number = misbehaving(lambda: float("nan"))
infinite = misbehaving(lambda: float("inf"))
text = misbehaving(lambda: "3000")
nothing = misbehaving(lambda: None)
out_of_range = misbehaving(lambda: 10**9)
odd = misbehaving(object)
odd_deep_inside = misbehaving(lambda: {"a": [object()]})
enormous = misbehaving(lambda: 10**5_000)
nested = misbehaving(_nest)
unwritable = misbehaving(lambda: "\ud800")


class TooFew:
    """Forgets the bad row."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer all others."""
        return [GOOD + row.seller_available % 1000 for row in rows if not is_bad(row)]


class Endless:
    """Never comes to the end of its answers, if the bad row is among them."""

    def predict(self, rows: Sequence[Sales]) -> Any:
        """Answer, and answer."""
        return _count() if any(map(is_bad, rows)) else [GOOD] * len(rows)


class OneText:
    """Answers with one text for all rows, if the bad one is among them."""

    def predict(self, rows: Sequence[Sales]) -> Any:
        """Answer."""
        return "x" * len(rows) if any(map(is_bad, rows)) else [GOOD] * len(rows)


class Leaking:
    """Keeps 16 MiB more at every bad row."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer, and forget nothing."""
        if any(map(is_bad, rows)):
            self._kept.append(b"x" * 2**24)
        return [GOOD] * len(rows)


class Hungry:
    """Takes gigabytes at once."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer at last."""
        if any(map(is_bad, rows)):
            taken = [b"x" * 2**24 for _ in range(400)]
            time.sleep(len(taken))
        return [GOOD] * len(rows)


class Slow:
    """Takes as long for each row, alone or not: ten callers wait ten times as long."""

    def predict(self, rows: Sequence[Sales]) -> Sequence[int]:
        """Answer in its own time."""
        time.sleep(0.04 * len(rows))
        return [GOOD] * len(rows)


class HangsAtFirst:
    """Never comes to a first answer."""

    def predict(self, _rows: Sequence[Sales]) -> Sequence[int]:
        """Hang."""
        _hang()
        return []


class NotMade:
    """Cannot even be made."""

    def __init__(self) -> None:
        raise OSError("weights are missing")
