"""The effort: others go first, until so much waits that they no longer may."""

import os
from contextlib import closing

import pytest

from stopgap.journal.effort import CALM_BYTES, NICENESS, URGENT_BYTES, Effort


def niceness() -> int:
    """Tell how nice the thread is that asks."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def test_a_backlog_decides() -> None:
    """From a long backlog on the drainer is no nicer than those who answer, until it is short."""
    ours, waiting = niceness(), [0]
    with closing(Effort(lambda: waiting[0])) as effort:
        for waiting[0], expected in (
            (0, NICENESS),
            (URGENT_BYTES, NICENESS),
            (URGENT_BYTES + 1, ours),
            (CALM_BYTES + 1, ours),
            (CALM_BYTES, NICENESS),
            (URGENT_BYTES, NICENESS),
        ):
            assert effort.do(niceness) == expected
    assert niceness() == ours != NICENESS


def test_at_the_end_nobody_goes_first() -> None:
    """What is left at a stop is moved with full effort, however little it is."""
    with closing(Effort(lambda: 0)) as effort:
        effort.hurry()
        assert effort.do(niceness) == niceness()


def test_a_fault_is_passed_on() -> None:
    """What a task raises, whoever had it done is told."""
    with closing(Effort(lambda: 0)) as effort, pytest.raises(ZeroDivisionError):
        effort.do(lambda: 1 // 0)
