"""The express lane: plain predictions and `/status` answered at the door, by `predicting` itself.

It knows nothing that Flask's views do not know, and decides nothing: whatever it does not recognise
at once goes on to them, and a property test holds the answers of both equal.
"""

from collections.abc import Sequence

from stopgap.accounts.recent import RecentCallers
from stopgap.clock import Ids
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import json_values, read_inputs
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.front.intake import Scope
from stopgap.predicting.line import Line
from stopgap.predicting.predicting import Predicting

Headers = list[tuple[bytes, bytes]]

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
JSON = (b"content-type", b"application/json")
ALIVE = b"Alive!"
STATUS = frozenset({b"/status", b"/status/"})

IDENTITY = frozenset({b"cookie", b"authorization"})
UNUSUAL = frozenset({b"origin", b"sec-fetch-site", b"transfer-encoding", b"expect"})
"""Headers that ask for more than an answer."""


def is_json(scope: Scope) -> bool:
    """Tell whether a body is worth reading here."""
    return scope["method"] == "POST" and JSON in scope["headers"]


Answer = tuple[Headers, bytes]
"""The headers and the body of a response with the status 200."""


class _Stop:
    """Where a contract's plain requests are taken up."""

    def __init__(self, contract: Contract, line: Line) -> None:
        self.contract = contract
        self.predict = line.predict
        self.prefix = contract.prefix.encode()
        self.below = self.prefix + b"/"
        self.reader = plain_reader(contract)


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
    ) -> None:
        self._all = [_Stop(contract, predicting.express_line(contract)) for contract in contracts]
        self._predicting = predicting
        self._stops = self._all
        self._choose()
        predicting.watch(self._choose)
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
        query: bytes = scope["query_string"]
        for stop in self._stops:
            if stop.reader is None or not path.startswith(stop.prefix):
                continue
            if path.startswith(stop.below):
                row = None if query else stop.reader.path(path)
            else:
                row = stop.reader.query(query) if path == stop.prefix else None
            return None if row is None else self._predicted(scope, stop, row)
        return self._alive(scope) if path in STATUS and not query else None

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
                return self._predicted(scope, stop, row)
        return None

    def _alive(self, scope: Scope) -> Answer | None:
        if any(name in UNUSUAL for name, _ in scope["headers"]):
            return None
        length = (b"content-length", b"%d" % len(ALIVE))
        request_id = (b"x-request-id", self._new_id().encode())
        return [TEXT, length, NOSNIFF, NO_STORE, request_id], ALIVE

    def _predicted(self, scope: Scope, stop: _Stop, row: Row) -> Answer | None:
        caller: str | None = None
        identified = False
        for name, value in scope["headers"]:
            if name in IDENTITY:
                known = None if identified else self._recall(value)
                if known is None:
                    return None
                caller, identified = known[0], True
            elif name in UNUSUAL:
                return None
        request_id = self._new_id()
        try:
            _, body, release = stop.predict(row, request_id, caller)
        except StopgapError:
            return None  # told by Flask, which asks once more
        headers = [
            JSON,
            (b"content-length", b"%d" % len(body)),
            (b"stopgap-release", release.encode()),
            NOSNIFF,
            NO_STORE,
            (b"x-request-id", request_id.encode()),
        ]
        return headers, body
