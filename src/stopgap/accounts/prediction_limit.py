"""The limit of predictions that one address, account or guest may ask for."""

import time

from limits import parse
from limits.strategies import FixedWindowRateLimiter

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.address import network_of


class PredictionLimit:
    """Counts predictions in fixed windows: an account's own, all others' by their address.

    A guest has no count of its own, because whoever wants another may sign in as another guest.

    Args:
        rate: Such as `100/second`.
        counts: Where it is counted.
    """

    def __init__(self, rate: str, counts: MemoryCounts) -> None:
        self.rate = rate
        self._item = parse(rate)
        self._limiter = FixedWindowRateLimiter(counts)

    def count(self, account: str | None, address: str) -> float:
        """Count one; tell the seconds until there may be another, if it was one too many.

        Args:
            account: The id of the account that asks, if one does.
            address: Where the request comes from.
        """
        who = f"address {network_of(address)}" if account is None else f"account {account}"
        if self._limiter.hit(self._item, who):
            return 0.0
        end = self._limiter.get_window_stats(self._item, who).reset_time
        return max(1.0, end - time.time())
