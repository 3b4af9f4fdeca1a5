"""The door: the ASGI application that the server runs, with Flask in a thread pool behind it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from a2wsgi import WSGIMiddleware

from stopgap import problems
from stopgap.clock import Ids
from stopgap.errors import StopgapError
from stopgap.front.chores import Chore, do_chores
from stopgap.front.intake import Bounds, Receive, Scope, Send, replay, take_in

LEAVE_SECONDS = 1.0
"""Time in which the requests that are under way may end, once the server is told to stop."""

WsgiApp = Callable[..., Iterable[bytes]]


class Door:
    """Takes every request in, whole, and passes it on.

    Args:
        application: Flask, as a WSGI callable.
        threads: How many of its views run at once.
        bounds: What a request may take before it is passed on.
        chores: What to do by itself, from the first moment to the last.
        close: Called once, after the last request.
    """

    def __init__(
        self,
        application: WsgiApp,
        *,
        threads: int,
        bounds: Bounds,
        ids: Ids,
        chores: Sequence[Chore],
        close: Callable[[], None],
    ) -> None:
        self._flask = WSGIMiddleware(_with_raw_address(application), workers=threads)
        self._bounds = bounds
        self._ids = ids
        self._chores = chores
        self._close = close
        self._under_way: set[asyncio.Future[None]] = set()  # what Flask's threads are at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life of the server."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            plain, body = await take_in(scope, receive, self._bounds)
        except StopgapError as error:
            await self._refuse(error, send)
            return
        done = asyncio.get_running_loop().create_future()
        self._under_way.add(done)
        try:
            with body:
                await self._flask(plain, replay(body), send)  # type: ignore[arg-type]  # plain dicts here
        finally:
            self._under_way.remove(done)
            done.set_result(None)

    async def _refuse(self, error: StopgapError, send: Send) -> None:
        """Answer what cannot be passed on, in the shape that Flask's errors have."""
        request_id = self._ids.new()
        document = problems.document(error, request_id)
        body = json.dumps(document).encode()
        headers = {
            "Content-Type": problems.MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            "Cache-Control": "no-store",
            "X-Request-Id": request_id,
        } | problems.headers(error)
        await send(
            {
                "type": "http.response.start",
                "status": document["status"],
                "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Do the chores from the server's start to its end."""
        await receive()
        chores = asyncio.create_task(do_chores(self._chores))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        chores.cancel()
        if self._under_way:  # without this loop their threads would wait for ever
            await asyncio.wait(self._under_way, timeout=LEAVE_SECONDS)
        self._close()
        await send({"type": "lifespan.shutdown.complete"})


def _with_raw_address(application: WsgiApp) -> WsgiApp:
    """Tell the application the address as it was sent, as other WSGI servers do in RAW_URI."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        scope = environ["asgi.scope"]
        raw, query = scope["raw_path"].decode("latin-1"), environ["QUERY_STRING"]
        environ["RAW_URI"] = f"{raw}?{query}" if query else raw
        return application(environ, start_response)

    return call
