"""How many predictions there may be."""

import time

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.prediction_limit import PredictionLimit

HERE, THERE = "192.0.2.1", "198.51.100.7"


def test_each_has_a_limit_of_its_own() -> None:
    """After as many as the rate says there are no more until its time is over."""
    limit = PredictionLimit("3/hour", MemoryCounts())
    assert [limit.count("ann", HERE) for _ in range(3)] == [0, 0, 0]
    assert 1 <= limit.count("ann", THERE) <= 3600
    assert limit.count("bob", HERE) == 0
    assert [limit.count(None, HERE) for _ in range(3)] == [0, 0, 0]
    assert limit.count(None, HERE) > 0
    assert limit.count(None, THERE) == 0


def test_the_time_ends() -> None:
    """When the time is over, it begins anew."""
    limit = PredictionLimit("1/second", MemoryCounts())
    waits = [limit.count("ann", HERE) for _ in range(2)]
    assert max(waits) == 1
    time.sleep(1.1)
    assert limit.count("ann", HERE) == 0
