"""What counts as flat."""

import random
from pathlib import Path

import pytest
from soak.steady import (
    COUNT_GROWTH,
    MEBIBYTE,
    MEMORY_GROWTH,
    MEMORY_SHARE,
    hold_half_load,
    trend,
)


def memory(*megabytes: float) -> bool:
    """Tell whether a process whose memory goes so is flat."""
    return trend([each * MEBIBYTE for each in megabytes], MEMORY_GROWTH, MEMORY_SHARE).is_flat


def test_what_stays_is_flat() -> None:
    """A process that only breathes is flat, and so is one that fills its caches first."""
    breathing = [80 + random.uniform(-2, 2) for _ in range(100)]
    assert memory(*breathing)
    assert memory(*range(20, 40), *breathing[:80])
    assert memory(*range(100, 50, -1))


def test_what_grows_is_not() -> None:
    """Memory that grows by a tenth is not flat, nor is a file more every now and then."""
    assert not memory(*(80 + each / 10 + random.uniform(-2, 2) for each in range(100)))
    assert not trend([17 + each // 20 for each in range(100)], COUNT_GROWTH).is_flat


@pytest.mark.alone
def test_half_load(tmp_path: Path) -> None:
    """Half the load for some seconds: nobody fails, nobody is replaced, all is in the journal once.

    Whether memory stays flat takes minutes to tell.
    """
    outcome = hold_half_load(tmp_path, seconds=3.0, rate=200.0)
    assert [fault for fault in outcome.faults if not fault.endswith(" grows")] == []
    assert {each.name for each in outcome.courses} >= {"supervisor", "drainer"}
