"""The express lane: plain predictions and `/status` answered at the door, by `predicting` itself.

It knows nothing that Flask's views do not know, and decides nothing: whatever it does not recognise
at once goes on to them, and a property test holds the answers of both equal.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from stopgap.accounts.recent import RecentCallers
from stopgap.clock import Ids
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import json_values, read_inputs
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.front.intake import Scope
from stopgap.predicting.line import Prediction
from stopgap.predicting.predicting import Predicting
from stopgap.telemetry.metrics import Metrics

Header = tuple[bytes, bytes]
Headers = list[Header]

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
JSON = (b"content-type", b"application/json")
ALIVE = b"Alive!"
STATUS = frozenset({b"/status", b"/status/"})

IDENTITY = frozenset({b"cookie", b"authorization"})
UNUSUAL = frozenset({b"origin", b"sec-fetch-site", b"transfer-encoding", b"expect"})
"""Headers that ask for more than an answer."""

NOTABLE = IDENTITY | UNUSUAL


def is_json(scope: Scope) -> bool:
    """Tell whether a body is worth reading here."""
    return scope["method"] == "POST" and JSON in scope["headers"]


Answer = tuple[Headers, bytes]
"""The headers and the body of a response with the status 200."""


@lru_cache(256)
def length_header(length: int) -> Header:
    """Write the length of a body; remembered, as answers of one contract have few lengths."""
    return b"content-length", b"%d" % length


@lru_cache(256)
def release_header(release: str) -> Header:
    """Write who answered; remembered, as there are few."""
    return b"stopgap-release", release.encode()


def nothing(_text: bytes) -> Row | None:
    """Read nothing: no request is plain."""
    return None


Predict = Callable[[Row, str, str | None], Prediction]


class _Stop:
    """Where a contract's plain requests are taken up."""

    def __init__(self, contract: Contract, predicting: Predicting) -> None:
        self.contract = contract
        line = partial(predicting.express_line, contract)
        self.by_path = line(contract.rule, "GET").predict
        self.by_query = line(contract.prefix, "GET").predict
        self.by_json = line(contract.prefix, "POST").predict
        self.prefix = contract.prefix.encode()
        reader = plain_reader(contract)
        self.read_path = reader.path if reader else nothing
        self.read_query = reader.query if reader else nothing


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
        self._all = [_Stop(contract, predicting) for contract in contracts]
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
                try:
                    row = Row.of(read_inputs(stop.contract, json_values(body)))
                except StopgapError:
                    return None
                return self._predicted(scope, stop.by_json, row)
        return None

    def _alive(self, scope: Scope) -> Answer | None:
        if any(name in UNUSUAL for name, _ in scope["headers"]):
            return None
        request_id = (b"x-request-id", self._new_id().encode())
        self._status.took(0)  # microseconds: it takes some, and no more
        return [TEXT, length_header(len(ALIVE)), NOSNIFF, NO_STORE, request_id], ALIVE

    def _predicted(self, scope: Scope, predict: Predict, row: Row) -> Answer | None:
        caller: str | None = None
        identified = False
        for name, value in scope["headers"]:
            if name in NOTABLE:
                known = None if identified or name in UNUSUAL else self._recall(value)
                if known is None:
                    return None
                caller, identified = known[0], True
        request_id = self._new_id()
        try:
            _, body, release = predict(row, request_id, caller)
        except StopgapError:
            return None  # told by Flask, which asks once more
        headers = [
            JSON,
            length_header(len(body)),
            release_header(release),
            NOSNIFF,
            NO_STORE,
            (b"x-request-id", request_id.encode()),
        ]
        return headers, body
