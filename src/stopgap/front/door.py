"""The door: the ASGI application that the server runs, with Flask in threads behind it."""

import time
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from typing import IO

from stopgap.errors import Overloaded, StopgapError
from stopgap.front.admission import InFlightLimit, Quota
from stopgap.front.answers import CLOSE, Response
from stopgap.front.asgi import Receive, Scope, Send
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake
from stopgap.front.lifespan import Lifespan
from stopgap.front.matching import is_json
from stopgap.front.pool import Pool, Pools
from stopgap.front.sending import Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.waiting import PlainRequest, WaitingLane
from stopgap.front.wsgi import Application, Reply, call
from stopgap.problems import InternalFault, PredictionsThrottled, status_of
from stopgap.request_notes import ARRIVED, COUNTED, LOOKUP_ERROR
from stopgap.telemetry.metrics import Metrics
from stopgap.telemetry.tracing import step


class Door:
    """Takes every request, and passes it on: to a lane that answers it at once, or whole to Flask.

    Args:
        application: Flask, as a WSGI callable.
        express: Answers what is plain without it.
        waiting: Answers it where a model has to be awaited.
        quota: How many predictions one may ask for; None: any number.
        single_flight: Has callers looked up once.
        in_flight: Bounds the requests inside; those of the express lane are over at once.
        intake: Reads them.
        pools: The threads in which Flask answers them.
        sending: Sends the answers.
        lifespan: Starts and ends the worker.
    """

    def __init__(
        self,
        application: Application,
        *,
        express: ExpressLane,
        waiting: WaitingLane,
        quota: Quota | None,
        single_flight: SingleFlight,
        in_flight: InFlightLimit,
        intake: Intake,
        sending: Sending,
        pools: Pools,
        metrics: Metrics,
        lifespan: Lifespan,
    ) -> None:
        self._application = application
        self._express = express
        self._answer = express.answer
        self._waiting = waiting
        self._quota = quota
        self._single_flight = single_flight
        self._in_flight = in_flight
        self._intake = intake
        self._pools = pools
        self._metrics = metrics
        self._lifespan = lifespan
        self._sending = sending
        metrics.gauge("stopgap_requests_in_flight", lambda: in_flight.taken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life of the server."""
        if scope["type"] == "http":
            if self._quota is not None and (error := self._quota.charge(scope)):
                await self._refuse(error, scope, receive, send)
            elif answer := self._answer(scope):
                status, headers, body = answer
                if self._sending.closing:
                    headers.append(CLOSE)
                # not by `Sending.whole`: one more coroutine would cost 0.5 µs
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            elif request := self._waiting.recognise(scope):
                await self._await(request, scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan.live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _await(
        self, request: PlainRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve a plain request whose model takes its time, in one of the places."""
        try:
            with self._in_flight.taking(kept=False):
                await self._sending.whole(*await self._waiting.answer(request), send)
        except StopgapError as error:
            await self._refuse(error, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        pool = self._pools.of(scope["method"], scope["path"])
        try:
            with self._in_flight.taking(kept=pool is self._pools.watching):
                with await self._intake.read(scope, receive, pool.body_bytes) as body:
                    answer = await self._answer_read(scope, body, pool)
                if isinstance(answer, Reply):
                    await self._sending.reply(answer, send, receive)
                else:
                    await self._sending.whole(*answer, send)
        except StopgapError as error:
            await self._refuse(error, scope, receive, send)

    async def _answer_read(self, scope: Scope, body: IO[bytes], pool: Pool) -> Response | Reply:
        """Answer a request that has been read: without Flask if that can be, else by it.

        Raises:
            PredictionsThrottled: its caller is known by now, and has asked for too many.
        """
        arrived = time.perf_counter()
        self._count(scope)
        if answer := await self._answer_json(scope, body):
            return answer
        search = await self._single_flight.find(scope, pool)
        if search.found and (answer := await self._answer_again(scope, body)):
            return answer
        extra = {ARRIVED: arrived, COUNTED: COUNTED in scope, LOOKUP_ERROR: search.error}
        return await self._reply(scope, body, pool, extra)

    async def _answer_json(self, scope: Scope, body: IO[bytes]) -> Response | None:
        """Answer without Flask what could not be before it was read."""
        if not (isinstance(body, BytesIO) and is_json(scope)):
            return None
        content = body.getvalue()
        if answer := self._express.answer_json(scope, content):
            return answer
        request = self._waiting.recognise_json(scope, content)
        return await self._waiting.answer(request) if request else None

    async def _answer_again(self, scope: Scope, body: IO[bytes]) -> Response | None:
        """Answer without Flask what could not be before its caller was known."""
        self._count(scope)
        if answer := self._answer(scope):
            return answer
        if request := self._waiting.recognise(scope):
            return await self._waiting.answer(request)
        return await self._answer_json(scope, body)

    def _count(self, scope: Scope) -> None:
        """Count a request for a prediction that could not be counted before.

        `__call__` does the same without a raise, for the fast path.

        Raises:
            PredictionsThrottled: it is one too many.
        """
        if self._quota is not None and (error := self._quota.charge(scope)):
            raise error

    async def _reply(
        self, scope: Scope, body: IO[bytes], pool: Pool, extra: Mapping[str, object]
    ) -> Reply:
        """Have Flask answer, in a thread.

        Raises:
            Overloaded: no thread is free in time.
            InternalFault: it has answered with an exception, which it should not.
        """
        try:
            with step("view"):
                return await pool.run(partial(call, self._application, scope, body, extra))
        except Overloaded:
            raise
        except Exception as error:
            raise InternalFault from error

    async def _refuse(
        self, error: StopgapError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(error, Overloaded | PredictionsThrottled):
            self._metrics.shed(error.code)
        self._metrics.request("other", scope["method"], status_of(type(error)), 0.0)
        await self._sending.refuse(error, scope, receive, send)
