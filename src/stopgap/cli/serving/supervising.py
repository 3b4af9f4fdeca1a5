"""The supervisor: keeps the workers and the drainer alive until it is told to stop."""

import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from stopgap import __version__
from stopgap.cli.serving.drainer import DrainerKeeper
from stopgap.cli.serving.orphans import Orphans
from stopgap.cli.serving.workers import Server, mind
from stopgap.errors import StopgapError
from stopgap.front.asgi import Asgi
from stopgap.front.lifespan import Supervisor
from stopgap.journal.backlog import backlog
from stopgap.telemetry.logs import StandardOutput, write_last_lines
from stopgap.wiring import Installation
from stopgap.wiring.application import build_door

BACKLOG = 1_024
BACKPRESSURE = 65_536
"""Connections of the server itself, which counts idle ones too: must not be reached."""

HEAD_BYTES = 65_536
"""Of a request's first line and headers that the server reads before it looks whether they have an
end. It answers twice as many with an empty 4xx; the door takes an eighth of an address."""

IDLE_SECONDS = 100
"""For which a connection may say nothing, and a request's head may be on its way. More than a proxy
keeps one that nobody uses: 90 s on Heroku (help.heroku.com/Y6M4QI4V), 60 s with nginx and AWS."""

HTTP1 = HTTP1Settings(max_buffer_size=HEAD_BYTES, header_read_timeout=IDLE_SECONDS * 1_000)

STOP_SECONDS = 4
"""Time for a worker to end after it was told to; who needs longer is killed."""

SUCCEED_SECONDS = 0.2
"""From the word of a worker that it serves to the end of the one that it replaces."""

logger = logging.getLogger(__name__)


def supervise(installation: Installation, address: str, port: int) -> None:
    """Serve until a signal comes; then see the workers and, after them, the drainer end."""
    server = Server(
        "stopgap",
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,  # a proxy speaks HTTP/2 with browsers, and keeps its bombs out
        http1_settings=HTTP1,
        loop=Loops.asyncio,  # uvloop, where it is installed, answers plain requests no sooner
        workers=installation.settings.workers,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=logging_of(installation.settings.log_level),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        respawn_interval=SUCCEED_SECONDS,
    )
    mind(server)
    drainer, orphans = DrainerKeeper(installation), Orphans()
    told = {"version": __version__, "pid": os.getpid(), "workers": installation.settings.workers}
    logger.info("the server starts", extra=told)
    drainer.start()
    orphans.start()
    try:
        load = partial(build_worker, installation, os.getpid())
        server.serve(target_loader=load, wrap_loader=False)
    finally:
        server.end()  # where a signal has ended it, none is left
        drainer.stop()
        orphans.stop()
        waiting = backlog(installation.at.spool).bytes
        if waiting:
            logger.warning("answers wait in the spool for the next start", extra={"bytes": waiting})
        logger.info("the server has ended", extra={"pid": os.getpid()})
        write_last_lines()


def logging_of(level: str) -> dict[str, Any]:
    """Configure how the workers' and the drainer's keeper logs: in lines like a worker's own."""
    lines = {"handlers": ["json"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"json": {"()": StandardOutput}},
        "loggers": {"_granian": lines, "stopgap.cli": lines | {"level": level.upper()}},
    }


def build_worker(
    installation: Installation, supervisor: int, *, ready: Callable[[], object], helped: bool
) -> Asgi:
    """Build what a worker serves; one that cannot says why.

    Args:
        supervisor: Its process id.
        ready: Tells it that the worker serves.
        helped: Whether other workers answer meanwhile.

    Raises:
        SystemExit: it cannot.
    """
    try:
        keeper = Supervisor(pid=supervisor, ready=ready)
        return build_door(installation, keeper, helped=helped)
    except Exception as error:
        known = isinstance(error, StopgapError | OSError)
        logger.error(  # noqa: TRY400  # every second or so: no traceback where its words tell all
            "a worker cannot start: %s", error, exc_info=not known
        )
        write_last_lines()
        raise SystemExit(1) from error
