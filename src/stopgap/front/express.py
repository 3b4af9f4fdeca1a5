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
from stopgap.errors import StopgapError
from stopgap.front.answers import (
    NO_STORE,
    NOSNIFF,
    TEXT,
    Headers,
    answer_headers,
    length_header,
)
from stopgap.front.intake import Scope
from stopgap.front.stop import UNUSUAL, Stop, known_caller
from stopgap.predicting.line import Prediction
from stopgap.predicting.predicting import Predicting
from stopgap.telemetry.metrics import Metrics

ALIVE = b"Alive!"
STATUS = frozenset({b"/status", b"/status/"})

Answer = tuple[Headers, bytes]
"""The headers and the body of a response with the status 200."""

Predict = Callable[[Row, str, str | None], Prediction]


class _ExpressStop(Stop):
    """A stop whose contract is answered at once; each way to ask is counted on its own."""

    def __init__(self, contract: Contract, predicting: Predicting) -> None:
        super().__init__(contract)
        line = partial(predicting.express_line, contract)
        self.by_path = line(contract.rule, "GET").predict
        self.by_query = line(contract.prefix, "GET").predict
        self.by_json = line(contract.prefix, "POST").predict


class ExpressLane:
    """Answers what is plain.

    Args:
        contracts: Those whose predictions are open to everybody. While one of them has a model that
            takes its time, it is left to the waiting lane.
        recent: Who sent a cookie or a key a moment ago; Flask's views fill it.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        *,
        predicting: Predicting,
        recent: RecentCallers,
        ids: Ids,
        metrics: Metrics,
    ) -> None:
        self._all = [_ExpressStop(contract, predicting) for contract in contracts]
        self._predicting = predicting
        self._stops = self._all
        self._choose()
        predicting.watch(self._choose)
        self._status = metrics.request_line("/status", "GET")
        self._recall = recent.recall
        self._new_id = ids.new

    def _choose(self) -> None:
        """Stop at the contracts that are answered at once."""
        self._stops = [stop for stop in self._all if self._predicting.way(stop.contract) is None]

    def answer(self, scope: Scope) -> Answer | None:
        """Answer a request that has no body; None: it is not plain."""
        if scope["method"] != "GET":
            return None
        path: bytes = scope["raw_path"]
        if query := scope["query_string"]:
            for stop in self._stops:
                if path == stop.prefix:
                    row = stop.read_query(query)
                    return None if row is None else self._predicted(scope, stop.by_query, row)
            return None
        for stop in self._stops:
            if (row := stop.read_path(path)) is not None:
                return self._predicted(scope, stop.by_path, row)
        return self._alive(scope) if path in STATUS else None

    def answer_json(self, scope: Scope, body: bytes) -> Answer | None:
        """Answer a prediction request in JSON; None: it is not plain."""
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        for stop in self._stops:
            if scope["raw_path"] == stop.prefix:
                row = stop.read_json(body)
                return None if row is None else self._predicted(scope, stop.by_json, row)
        return None

    def _alive(self, scope: Scope) -> Answer | None:
        if any(name in UNUSUAL for name, _ in scope["headers"]):
            return None
        request_id = (b"x-request-id", self._new_id().encode())
        self._status.took(0)  # microseconds: it takes some, and no more
        return [TEXT, length_header(len(ALIVE)), NOSNIFF, NO_STORE, request_id], ALIVE

    def _predicted(self, scope: Scope, predict: Predict, row: Row) -> Answer | None:
        known = known_caller(scope["headers"], self._recall)
        if known is None:
            return None
        request_id = self._new_id()
        try:
            _, body, release = predict(row, request_id, known[0])
        except StopgapError:
            return None  # told by Flask, which asks once more
        return answer_headers(body, release, request_id), body
