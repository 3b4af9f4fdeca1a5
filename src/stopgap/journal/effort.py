"""The effort: how much the drainer takes from those who answer, at the same moment."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

NICENESS = 19
"""Answers first: where every core is busy the spool may grow, for a while."""

URGENT_BYTES = 64 * 1024 * 1024
"""From this backlog on it may not: some 240,000 of MadCompany's answers. On one core that a client
kept busy, at 24,000 answers a second, it was there after 12 seconds."""

CALM_BYTES = 16 * 1024 * 1024


class Effort:
    """Two threads, of which one works at a time: the modest one lets all others go first.

    Whoever has become nicer may never be less nice again, but for a superuser; and Linux has it for
    each thread. (Elsewhere it may be the process's, and the second thread is as nice as the first.)

    Args:
        backlog: Tells the bytes that wait.
    """

    def __init__(self, backlog: Callable[[], int]) -> None:
        self._backlog = backlog
        self._modest = ThreadPoolExecutor(1, "modest", initializer=be_nice)
        self._urgent = ThreadPoolExecutor(1, "urgent")
        self._hurried = False
        self.is_urgent = False

    def do(self, task: Callable[[], T]) -> T:
        """Do a task with the effort that the backlog asks for, and await it."""
        waiting = self._backlog()
        self.is_urgent = self._hurried or waiting > (CALM_BYTES if self.is_urgent else URGENT_BYTES)
        return (self._urgent if self.is_urgent else self._modest).submit(task).result()

    def hurry(self) -> None:
        """Let nobody go first from now on, because the end is near."""
        self._hurried = True

    def close(self) -> None:
        """End both threads, after what they do."""
        self._modest.shutdown()
        self._urgent.shutdown()


def be_nice() -> None:
    """Let others go first from now on: this thread, on Linux.

    With SCHED_IDLE, which only Linux has, a core that nobody else uses still counts as free, and a
    model's process is woken there. With niceness alone it was woken on the core of the worker that
    asked it, which then had to wait.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
