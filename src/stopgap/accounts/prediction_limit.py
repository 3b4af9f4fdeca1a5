"""The limit of predictions that one address, account or guest may ask for."""

import time

from limits import parse
from limits.strategies import FixedWindowRateLimiter

from stopgap.accounts.counts import MemoryCounts


class PredictionLimit:
    """Counts predictions in fixed windows; for one thread.

    Args:
        rate: Such as `100/second`.
        url: Where it is counted: `memory://` is this process alone.
    """

    def __init__(self, rate: str, url: str) -> None:
        self.rate = rate
        self._item = parse(rate)
        self._limiter = FixedWindowRateLimiter(MemoryCounts(url))

    def count(self, who: str) -> float:
        """Count one; tell the seconds until there may be another, if it was one too many."""
        if self._limiter.hit(self._item, who):
            return 0.0
        end = self._limiter.get_window_stats(self._item, who).reset_time
        return max(1.0, end - time.time())
