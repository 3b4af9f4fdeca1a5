"""What stands in for the world in tests: a clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        """Tell the time that it was set to."""
        return self._now

    def microseconds(self) -> int:
        """Tell the time that it was set to, as microseconds since 1970."""
        return (self._now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def monotonic(self) -> float:
        """Tell the seconds since the start."""
        return (self._now - self._start).total_seconds()

    def forward(self, **units: float) -> None:
        """Move on: `forward(minutes=5)`."""
        self._now += timedelta(**units)
