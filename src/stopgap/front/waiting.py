"""The waiting lane: plain predictions of models that take their time, awaited at the door.

Thousands may wait so without a thread each. Like the express lane, it knows nothing that Flask's
views do not know: what it does not recognise at once goes on to them.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from stopgap import problems
from stopgap.accounts.recent import RecentCallers
from stopgap.clock import Ids
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import json_values, read_inputs
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.front.express import IDENTITY, JSON, NO_STORE, NOSNIFF, UNUSUAL, Headers
from stopgap.front.intake import Scope
from stopgap.predicting.line import Prediction
from stopgap.predicting.predicting import Predicting
from stopgap.predicting.way import Way
from stopgap.telemetry.metrics import Metrics

Whole = tuple[int, Headers, bytes]
"""The status, the headers and the body of a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A prediction that somebody asks for, ready to be awaited."""

    way: Way
    row: Row
    request_id: str
    caller: str | None
    route: str
    page: bool  # whether an error is to be told as a page, which only Flask can


class _Halt:
    """Where a contract's plain requests are taken up."""

    def __init__(self, contract: Contract, way: Way) -> None:
        self.contract = contract
        self.way = way
        self.prefix = contract.prefix.encode()
        self.below = self.prefix + b"/"
        self.reader = plain_reader(contract)


class WaitingLane:
    """Takes up what is plain.

    Args:
        contracts: Those whose predictions are open to everybody.
        predicting: Tells which of them have models that take their time.
        recent: Who sent a cookie or a key a moment ago; Flask's views fill it.
        ids: Gives each request its id.
        metrics: Counts what is answered here.
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
        self._contracts = contracts
        self._predicting = predicting
        self._recall = recent.recall
        self._new_id = ids.new
        self._metrics = metrics
        self._halts: list[_Halt] = []
        self._choose()
        predicting.watch(self._choose)

    def _choose(self) -> None:
        """Halt at the contracts whose models take their time."""
        ways = ((each, self._predicting.way(each)) for each in self._contracts)
        self._halts = [_Halt(contract, way) for contract, way in ways if way is not None]

    def asked(self, scope: Scope) -> Asked | None:
        """Take up a request that has no body; None: it is not plain."""
        if not self._halts or scope["method"] != "GET":
            return None
        path: bytes = scope["raw_path"]
        query: bytes = scope["query_string"]
        for halt in self._halts:
            if halt.reader is None or not path.startswith(halt.prefix):
                continue
            if path.startswith(halt.below):
                row, route = None if query else halt.reader.path(path), halt.contract.rule
            elif path == halt.prefix:
                row, route = halt.reader.query(query), halt.contract.prefix
            else:
                return None
            return None if row is None else self._asked(scope, halt, row, route)
        return None

    def asked_json(self, scope: Scope, body: bytes) -> Asked | None:
        """Take up a prediction request in JSON; None: it is not plain."""
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        for halt in self._halts:
            if scope["raw_path"] == halt.prefix:
                try:
                    row = Row.of(read_inputs(halt.contract, json_values(body)))
                except StopgapError:
                    return None
                return self._asked(scope, halt, row, halt.contract.prefix)
        return None

    def _asked(self, scope: Scope, halt: _Halt, row: Row, route: str) -> Asked | None:
        caller: str | None = None
        identified = page = False
        for name, value in scope["headers"]:
            if name in IDENTITY:
                known = None if identified else self._recall(value)
                if known is None:
                    return None
                caller, identified = known[0], True
            elif name in UNUSUAL:
                return None
            elif name == b"accept":
                page |= b"html" in value
        return Asked(
            way=halt.way,
            row=row,
            request_id=self._new_id(),
            caller=caller,
            route=route,
            page=page,
        )

    async def answer(self, asked: Asked, method: str) -> Whole | None:
        """Await a prediction; None: there is none, and Flask has to say so."""
        began = time.perf_counter()
        try:
            prediction = await asked.way.answer(asked.row, asked.request_id, asked.caller)
        except StopgapError as error:
            if asked.page:
                return None
            told = _refused(error, asked.request_id)
            seconds = time.perf_counter() - began
            self._metrics.request(asked.route, method, told[0], seconds)
            return told
        line = self._metrics.request_line(asked.route, method)
        line.took(int((time.perf_counter() - began) * 1_000_000))
        return _predicted(prediction, asked.request_id)


def _predicted(prediction: Prediction, request_id: str) -> Whole:
    headers = [
        JSON,
        (b"content-length", b"%d" % len(prediction.body)),
        (b"stopgap-release", prediction.release.encode()),
        NOSNIFF,
        NO_STORE,
        (b"x-request-id", request_id.encode()),
    ]
    return 200, headers, prediction.body


def _refused(error: StopgapError, request_id: str) -> Whole:
    document = problems.document(error, request_id)
    body = json.dumps(document).encode()
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        *((name.lower().encode(), told.encode()) for name, told in problems.headers(error).items()),
        (b"vary", b"Accept"),
        NOSNIFF,
        NO_STORE,
        (b"x-request-id", request_id.encode()),
    ]
    return document["status"], headers, body
