"""What a power cut may cost, by the setting, and what shows that there was one."""

import time

import pytest
from soak.power import Cuts, answered_at
from tests.acceptance.reckoning import Reckoning

from stopgap.clock import RandomIds


def cuts(fsync: str, *, lost: int = 0, ago: float = 0.0, twice: int = 0) -> Cuts:
    """Make the outcome of one cut."""
    told = Cuts(fsync=fsync)
    ids = [RandomIds().new() for _ in range(lost)]
    found = Reckoning(acknowledged=100, lost=ids, changed=0, twice=twice, unacknowledged=0)
    told.add(found, time.time() + ago)
    return told


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (cuts("always"), ""),
        (cuts("always", lost=1, ago=0.2), "1 lost, of up to 0.2 s before"),
        (cuts("interval"), ""),
        (cuts("interval", lost=9, ago=1.0), ""),
        (cuts("interval", lost=9, ago=2.0), "9 lost, of up to 2.0 s before"),
        (cuts("off", lost=100, ago=5.0), ""),
        (cuts("off"), "nothing is lost: no power was cut"),
        (cuts("always", twice=1), "1 doubled"),
        (Cuts(fsync="always"), "nothing was acknowledged"),
    ],
)
def test_what_holds(told: Cuts, fault: str) -> None:
    """Each setting keeps its promise, and a cut that takes nothing where it may is none."""
    assert told.faults == ([fault] if fault else [])


def test_an_id_tells_when() -> None:
    """The time of an answer is read from its id."""
    assert abs(answered_at(RandomIds().new()) - time.time()) < 1
