"""The door: the ASGI application that the server runs, with Flask in threads behind it."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO

from stopgap.errors import StopgapError
from stopgap.front.admission import Places, Quota
from stopgap.front.chores import Chore, do_chores
from stopgap.front.event_loop import quicken
from stopgap.front.express import ExpressLane
from stopgap.front.intake import MEMORY_MAX, Intake, Receive, Scope, Send, declared_length
from stopgap.front.lane import Lane, Lanes
from stopgap.front.leaving import Leaving
from stopgap.front.sending import CLOSE, Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.stop import is_json
from stopgap.front.waiting import Asked, WaitingLane, Whole
from stopgap.front.wsgi import Application, Reply, call
from stopgap.predicting.engine import Engine
from stopgap.problems import InternalFault, Overloaded, PredictionsThrottled, status_of
from stopgap.telemetry.metrics import Metrics

LOOK_SECONDS = 0.5
"""How often it is seen whether the supervisor is there."""


class Door:
    """Takes every request in, whole, and passes it on.

    Args:
        application: Flask, as a WSGI callable.
        express: Answers what is plain without it.
        waiting: The same, where that takes its time.
        engine: The event loop, for whatever else is awaited in it as long as the server lives.
        quota: How many predictions one may ask for; None: any number.
        single_flight: Has callers looked up once.
        places: For the requests inside; those of the express lane do not stay.
        intake: Reads them.
        lanes: The threads in which they are answered.
        sending: Sends the answers.
        chores: What to do by itself, from the first moment to the last.
        supervisor: The process whose end is this one's.
        close: Called once, after the last request.
    """

    def __init__(
        self,
        application: Application,
        *,
        express: ExpressLane,
        waiting: WaitingLane,
        engine: Engine,
        quota: Quota | None,
        single_flight: SingleFlight,
        places: Places,
        intake: Intake,
        sending: Sending,
        lanes: Lanes,
        metrics: Metrics,
        chores: Sequence[Chore],
        supervisor: int,
        close: Callable[[], None],
    ) -> None:
        self._application = application
        self._express = express
        self._answer = express.answer
        self._waiting = waiting
        self._engine = engine
        self._quota = quota
        self._single_flight = single_flight
        self._places = places
        self._intake = intake
        self._lanes = lanes
        self._metrics = metrics
        self._chores = chores
        self._supervisor = supervisor
        self._close = close
        self._sending = sending
        self._leaving = Leaving(
            announce=self._sending.announce_end, inside=lambda: places.taken, hurry=self._hurry
        )
        metrics.watch("stopgap_requests_in_flight", lambda: places.taken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life of the server."""
        if scope["type"] == "http":
            if self._quota is not None and (error := self._quota.exceeded(scope)):
                await self._refuse(error, scope, receive, send)
            elif answer := self._answer(scope):
                headers, body = answer
                if self._sending.closing:
                    headers.append(CLOSE)
                # sent from here, as a coroutine more would cost 0.5 µs
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            elif asked := self._waiting.asked(scope):
                await self._await(asked, scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _await(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a plain request whose model takes its time, in one of the places."""
        try:
            with self._places.taking(kept=False):
                if told := await self._waiting.answer(asked):
                    await self._sending.whole(*told, send)
        except StopgapError as error:
            await self._refuse(error, scope, receive, send)
        else:
            if not told:
                await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lanes.of(scope["path"])
        try:
            with self._places.taking(kept=lane is self._lanes.watching):
                async with self._intake.reading(scope, receive, lane.body_bytes) as (plain, body):
                    answer = await self._answer_read(scope, plain, body, lane)
                if isinstance(answer, Reply):
                    await self._sending.reply(answer, send, receive)
                else:
                    await self._sending.whole(*answer, send)
        except StopgapError as error:
            await self._refuse(error, scope, receive, send)

    async def _answer_read(
        self, scope: Scope, plain: Scope, body: IO[bytes], lane: Lane
    ) -> Whole | Reply:
        """Answer a request that has been read: without Flask if that can be, else by it."""
        arrived = time.perf_counter()
        if answer := await self._answer_json(plain, body):
            return answer
        async with self._single_flight.turn(scope) as second:
            if second and (answer := await self._answer_again(scope, plain, body)):
                return answer
            return await self._reply(plain, body, lane, arrived)

    async def _answer_json(self, scope: Scope, body: IO[bytes]) -> Whole | None:
        """Answer without Flask what could not be before it was read."""
        if not is_json(scope) or declared_length(scope) > MEMORY_MAX:
            return None
        content = body.read()
        body.seek(0)
        if answer := self._express.answer_json(scope, content):
            return 200, *answer
        asked = self._waiting.asked_json(scope, content)
        return await self._waiting.answer(asked) if asked else None

    async def _answer_again(self, scope: Scope, plain: Scope, body: IO[bytes]) -> Whole | None:
        """Answer without Flask what could not be before its caller was known."""
        if answer := self._answer(scope):
            return 200, *answer
        if asked := self._waiting.asked(scope):
            return await self._waiting.answer(asked)
        return await self._answer_json(plain, body)

    async def _reply(self, scope: Scope, body: IO[bytes], lane: Lane, arrived: float) -> Reply:
        """Have Flask answer, in a thread.

        Raises:
            Overloaded: no thread is free in time.
            InternalFault: it has answered with an exception, which it should not.
        """
        try:
            return await lane.run(partial(call, self._application, scope, body, arrived))
        except Overloaded:
            raise
        except Exception as error:
            raise InternalFault("The server cannot answer; its log says more.") from error

    async def _refuse(
        self, error: StopgapError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(error, Overloaded | PredictionsThrottled):
            self._metrics.shed(error.code)
        self._metrics.request("other", scope["method"], status_of(type(error)), 0.0)
        await self._sending.refuse(error, scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Do the chores from the server's start to its end."""
        await receive()
        gc.freeze()  # what is there now stays; looking through it all took 70 ms from time to time
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._leaving.begin)
        quicken(loop)
        await self._engine.adopt()
        chores = asyncio.gather(do_chores(self._chores), end_with(self._supervisor))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)
        await self._leaving.finish()
        await self._engine.leave()
        self._close()
        await send({"type": "lifespan.shutdown.complete"})

    def _hurry(self) -> None:
        """Wait no more for who sends or reads slowly."""
        self._intake.stop()
        self._sending.stop()


async def end_with(supervisor: int) -> None:
    """End this process when its supervisor is gone, which would else go on serving for ever.

    As fast as it can: another server may be waiting for the port.
    """
    while os.getppid() == supervisor:  # noqa: ASYNC110  # its end sends no event
        await asyncio.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)
