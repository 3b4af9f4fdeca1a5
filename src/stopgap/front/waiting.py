"""The waiting lane: plain predictions of models that take their time, awaited at the door.

Thousands may wait so without a thread each. Like the express lane, it knows nothing that Flask's
views do not know: what it does not recognise at once goes on to them.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from stopgap.accounts.recent import RecentCallers
from stopgap.clock import Ids
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.front.answers import Response, answer_headers, problem
from stopgap.front.asgi import Scope
from stopgap.front.matching import Matcher, asks_for_page, known_caller
from stopgap.predicting.awaited import AwaitedPredictor
from stopgap.predicting.predicting import Predicting
from stopgap.problems import InternalFault
from stopgap.telemetry.metrics import Metrics, Series


class Endpoint(NamedTuple):
    """A route and method by which a contract's predictions are asked for."""

    predictor: AwaitedPredictor
    route: str
    method: str
    good: Series  # its good answers


class PlainRequest(NamedTuple):
    """A request for a prediction that can be awaited here."""

    endpoint: Endpoint
    row: Row
    request_id: str
    caller: str | None


def _matcher(
    contract: Contract, predictor: AwaitedPredictor, metrics: Metrics
) -> Matcher[Endpoint]:
    """Match the plain requests of a contract; each route is counted on its own."""

    def endpoint(route: str, method: str) -> Endpoint:
        return Endpoint(predictor, route, method, metrics.request_series(route, method))

    return Matcher(
        contract,
        by_path=endpoint(contract.rule, "GET"),
        by_query=endpoint(contract.prefix, "GET"),
        by_json=endpoint(contract.prefix, "POST"),
    )


class WaitingLane:
    """Answers what is plain, without a thread for each that waits.

    Args:
        contracts: Those that are served.
        closed: Whether predictions are only for callers who are somebody.
        predicting: Tells which of them have models that take their time.
        recent: Who sent a cookie or a key a moment ago; Flask's views fill it.
        ids: Gives each request its id.
        metrics: Counts what is answered here.
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
        self._contracts = contracts
        self._closed = closed
        self._predicting = predicting
        self._recall = recent.recall
        self._new_id = ids.new
        self._metrics = metrics
        self._matchers: list[Matcher[Endpoint]] = []
        self._choose()
        predicting.on_change(self._choose)

    def _choose(self) -> None:
        """Match the contracts whose models have to be awaited now."""
        self._matchers = [
            _matcher(each, predictor, self._metrics)
            for each in self._contracts
            if (predictor := self._predicting.awaited(each))
        ]

    def recognise(self, scope: Scope) -> PlainRequest | None:
        """Recognise a request that has no body; None: it is not plain."""
        if scope["method"] != "GET":
            return None
        for matcher in self._matchers:
            if found := matcher.match(scope["raw_path"], scope["query_string"]):
                return self._plain(scope, *found)
        return None

    def recognise_json(self, scope: Scope, body: bytes) -> PlainRequest | None:
        """Recognise a request in JSON; None: it is not plain."""
        for matcher in self._matchers:
            if found := matcher.match_json(scope, body):
                return self._plain(scope, *found)
        return None

    def _plain(self, scope: Scope, endpoint: Endpoint, row: Row) -> PlainRequest | None:
        if asks_for_page(scope["headers"]):  # an error would have to be one of Flask's
            return None
        known = known_caller(scope, self._recall, closed=self._closed)
        return known and PlainRequest(endpoint, row, self._new_id(), known[0])

    async def answer(self, request: PlainRequest) -> Response:
        """Await a prediction, or the error in its place.

        Raises:
            InternalFault: it has ended with an exception, which it should not.
        """
        endpoint, row, request_id, caller = request
        began = time.perf_counter()
        try:
            _, body, release = await endpoint.predictor.answer(row, request_id, caller)
        except StopgapError as error:
            response = problem(error, request_id)
            seconds = time.perf_counter() - began
            self._metrics.request(endpoint.route, endpoint.method, response[0], seconds)
            return response
        except Exception as error:
            raise InternalFault from error
        endpoint.good.took(int((time.perf_counter() - began) * 1_000_000))
        return 200, answer_headers(body, release, request_id), body
