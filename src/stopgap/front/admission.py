"""Admission: which requests may come in. None waits here: all others are refused at once."""

from collections.abc import Collection, Sequence
from typing import Self

from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.address import Network
from stopgap.errors import Overloaded
from stopgap.front.asgi import Scope
from stopgap.front.matching import credentials
from stopgap.front.peer import address_of
from stopgap.front.pool import is_below
from stopgap.problems import PredictionsThrottled
from stopgap.request_notes import COUNTED


class InFlightLimit:
    """How many requests are inside, and how many may be."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.taken = 0

    def taking(self, *, kept: bool) -> Self:
        """Take a place, `with` this; a kept one is there even when all others are taken.

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
    """How many predictions one may ask for: an account, else an address.

    A request whose cookie or key is not known here is let through, and counted by Flask's view,
    which looks it up: otherwise strangers at an account's address could use up its quota.

    Args:
        limit: Counts them.
        prefixes: Below these, predictions are asked for.
        pages: Below these, they are asked for by a query; without one, a form is shown.
        recent: Who sent a cookie or a key a moment ago.
        trusted: Proxies that are believed about addresses.
    """

    def __init__(
        self,
        limit: PredictionLimit,
        *,
        prefixes: Collection[str],
        pages: Collection[str],
        recent: RecentCallers,
        trusted: Sequence[Network],
    ) -> None:
        self._limit = limit
        self._prefixes = tuple(prefixes)
        self._pages = tuple(pages)
        self._recent = recent
        self._trusted = trusted

    def charge(self, scope: Scope) -> PredictionsThrottled | None:
        """Count a request for a prediction, once; tell whether it is one too many."""
        if COUNTED in scope or not self._asks(scope):
            return None
        sent = credentials(scope["headers"])
        if any(self._recent.peek(each) is None for each in sent):
            return None
        account = next(filter(None, map(self._recent.account, sent)), None)
        scope[COUNTED] = True
        wait = self._limit.count(account, address_of(scope, self._trusted))
        return PredictionsThrottled(self._limit.rate, wait) if wait else None

    def _asks(self, scope: Scope) -> bool:
        """Tell whether a prediction is asked for, and not only what could be asked."""
        path = scope["path"]
        by_query = bool(scope["query_string"]) and is_below(path, self._pages)
        return scope["method"] != "OPTIONS" and (by_query or is_below(path, self._prefixes))
