"""Sweeping: a machine whose clock is wrong deletes nothing that others still need."""

import logging

import pytest
from tests.fakes import FakeClock

from stopgap.wiring.sweeping import Sweeper


def test_only_by_the_right_clock(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """While the database has another time nothing is swept; that is told once, and its end."""
    caplog.set_level(logging.INFO)
    right, swept = clock.now(), []
    other = iter([None, right, right, None, None])
    sweeper = Sweeper("answers", lambda: next(other), clock)
    for _ in range(5):
        sweeper.do(lambda: swept.append(clock.now()))
        clock.forward(minutes=10)
    assert [moment.minute for moment in swept] == [0, 30, 40]
    begun, over = caplog.messages
    assert begun.startswith(
        "no old answers are deleted: it is 2030-01-01 12:10:00+00:00 here, and "
    )
    assert over == "the clock is the database's again: old answers are deleted"
