"""The express lane: plain predictions and `/status` answered at the door, by `predicting` itself.

It knows nothing that Flask's views do not know, and decides nothing: whatever it does not recognise
at once goes on to them, and a property test holds the answers of both equal.
"""

from collections.abc import Callable, Sequence
from functools import partial

from stopgap.accounts.recent import RecentCallers
from stopgap.clock import Ids
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.front.answers import (
    NO_STORE,
    NOSNIFF,
    TEXT,
    Response,
    answer_headers,
    length_header,
)
from stopgap.front.asgi import Scope
from stopgap.front.matching import Matcher, asks_for_more, known_caller
from stopgap.predicting.instant import Prediction
from stopgap.predicting.predicting import Predicting
from stopgap.telemetry.metrics import Metrics

ALIVE = b"Alive!"
STATUS = frozenset({b"/status", b"/status/"})

Predict = Callable[[Row, str, str | None], Prediction]


def _matcher(contract: Contract, predicting: Predicting) -> Matcher[Predict]:
    """Match the plain requests of a contract; each route is counted on its own."""
    predictor = partial(predicting.express_predictor, contract)
    return Matcher(
        contract,
        by_path=predictor(contract.rule, "GET").predict,
        by_query=predictor(contract.prefix, "GET").predict,
        by_json=predictor(contract.prefix, "POST").predict,
    )


class ExpressLane:
    """Answers what is plain.

    Args:
        contracts: Those that are served. While one of them has a model that takes its time, it is
            left to the waiting lane.
        closed: Whether predictions are only for callers who are somebody.
        recent: Who sent a cookie or a key a moment ago; Flask's views fill it.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        *,
        closed: bool,
        predicting: Predicting,
        recent: RecentCallers,
        ids: Ids,
        metrics: Metrics,
    ) -> None:
        self._closed = closed
        self._all = [(each, _matcher(each, predicting)) for each in contracts]
        self._predicting = predicting
        self._matchers: list[Matcher[Predict]] = []
        self._choose()
        predicting.on_change(self._choose)
        self._status = metrics.request_series("/status", "GET")
        self._recall = recent.recall
        self._new_id = ids.new

    def _choose(self) -> None:
        """Match the contracts that are answered at once now."""
        awaited = self._predicting.awaited
        self._matchers = [matcher for contract, matcher in self._all if not awaited(contract)]

    def answer(self, scope: Scope) -> Response | None:
        """Answer a request that has no body; None: it is not plain."""
        if scope["method"] != "GET":
            return None
        path, query = scope["raw_path"], scope["query_string"]
        for matcher in self._matchers:
            if found := matcher.match(path, query):
                return self._predicted(scope, *found)
        return self._alive(scope) if path in STATUS and not query else None

    def answer_json(self, scope: Scope, body: bytes) -> Response | None:
        """Answer a prediction request in JSON; None: it is not plain."""
        for matcher in self._matchers:
            if found := matcher.match_json(scope, body):
                return self._predicted(scope, *found)
        return None

    def _alive(self, scope: Scope) -> Response | None:
        if asks_for_more(scope):
            return None
        request_id = (b"x-request-id", self._new_id().encode())
        self._status.took(0)  # microseconds: too few to be measured
        return 200, [TEXT, length_header(len(ALIVE)), NOSNIFF, NO_STORE, request_id], ALIVE

    def _predicted(self, scope: Scope, predict: Predict, row: Row) -> Response | None:
        known = known_caller(scope, self._recall, closed=self._closed)
        if known is None:
            return None
        request_id = self._new_id()
        try:
            _, body, release = predict(row, request_id, known[0])
        except Exception:  # noqa: BLE001  # told by Flask, which asks once more
            return None
        return 200, answer_headers(body, release, request_id), body
