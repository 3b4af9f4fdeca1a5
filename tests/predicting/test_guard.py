"""The guard: nothing leaves that the contract does not promise, and what leaves is compact JSON."""

import pytest
from tests.contracts.promises import DELIVERY
from tests.fakes import FakeClock

from stopgap.contracts.madcompany import contract
from stopgap.predicting.guard import Guard, PredictionFailed


@pytest.fixture
def clock() -> FakeClock:
    """Tell the time."""
    return FakeClock()


def test_what_keeps_the_promise_is_written() -> None:
    """A number is its digits; an object has no spaces."""
    assert Guard(contract, "7", FakeClock().monotonic).body(3141) == b"3141"
    output = {"days": 2.5, "carrier": "north"}
    told = Guard(DELIVERY, "7", FakeClock().monotonic).body(output)
    assert told == b'{"days":2.5,"carrier":"north"}'


def test_the_log_is_not_drowned(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """Of many broken promises each release has a line a second; clients learn no more of any."""
    one, two = (Guard(contract, release, clock.monotonic) for release in ("1", "2"))
    for _ in range(3):
        for guard in (one, one, two):
            with pytest.raises(PredictionFailed, match="gave no valid answer") as refusal:
                guard.body(5001)
            assert "5001" not in refusal.value.detail
        clock.forward(seconds=1)
    told = [(vars(each)["release"], vars(each)["reason"]) for each in caplog.records]
    assert [release for release, _ in told] == ["1", "2"] * 3
    assert all("5001" in reason for _, reason in told)
