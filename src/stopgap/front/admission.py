"""Admission: who may come in. Nobody waits here: who may not is told so at once."""

from collections.abc import Collection, Sequence
from typing import Self

from stopgap.accounts.address import address_behind
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.accounts.throttling import network_of
from stopgap.front.intake import Scope
from stopgap.front.lane import is_below
from stopgap.front.stop import CREDENTIALS
from stopgap.problems import Overloaded, PredictionsThrottled
from stopgap.settings import Network


class Places:
    """How many requests are inside, and how many may be."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.taken = 0

    def taking(self, *, kept: bool) -> Self:
        """Take a place, `with` this, for a while; a kept one is there though all others are taken.

        Raises:
            Overloaded: there is none.
        """
        if self.taken >= self._number and not kept:
            raise Overloaded(f"{self._number} requests are being answered already.")
        return self

    def __enter__(self) -> None:
        self.taken += 1

    def __exit__(self, *_: object) -> None:
        self.taken -= 1


class Quota:
    """How many predictions one may ask for: a caller who was seen a moment ago, else an address.

    Args:
        limit: Counts them.
        prefixes: Below these, predictions are asked for.
        recent: Who sent a cookie or a key a moment ago. Others count for their address, so that
            invented keys are no way around.
        trusted: Proxies that are believed about addresses.
    """

    def __init__(
        self,
        limit: PredictionLimit,
        *,
        prefixes: Collection[str],
        recent: RecentCallers,
        trusted: Sequence[Network],
    ) -> None:
        self._limit = limit
        self._prefixes = tuple(prefixes)
        self._peek = recent.peek
        self._trusted = trusted

    def exceeded(self, scope: Scope) -> PredictionsThrottled | None:
        """Count a request, if it is for a prediction; tell whether it is one too many."""
        if not any(is_below(scope["path"], prefix) for prefix in self._prefixes):
            return None
        wait = self._limit.count(self._who(scope))
        return PredictionsThrottled(self._limit.rate, wait) if wait else None

    def _who(self, scope: Scope) -> str:
        forwarded = []
        for name, value in scope["headers"]:
            if name in CREDENTIALS and (known := self._peek(value)) and known[0]:
                return f"caller {known[0]}"
            if name == b"x-forwarded-for":
                forwarded.append(value.decode("latin-1"))
        peer = scope["client"][0] if scope.get("client") else ""
        return f"address {network_of(address_behind(peer, ','.join(forwarded), self._trusted))}"
