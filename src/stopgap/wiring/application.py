"""The application, and the door in front of it."""

import logging
import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.shared_counts import EXCHANGE_SECONDS, SharedCounts
from stopgap.clock import SystemClock
from stopgap.front.access_log import AccessLogMiddleware
from stopgap.front.admission import InFlightLimit, Quota
from stopgap.front.asgi import Asgi
from stopgap.front.chores import Chore
from stopgap.front.door import Door
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake
from stopgap.front.leaving import Leaving
from stopgap.front.lifespan import Lifespan, Supervisor
from stopgap.front.pool import Pools
from stopgap.front.sending import Sending
from stopgap.front.single_flight import SingleFlight
from stopgap.front.tracing import TracingMiddleware
from stopgap.front.waiting import WaitingLane
from stopgap.parts import Parts
from stopgap.settings import Settings
from stopgap.telemetry.access import FLUSH_SECONDS, AccessLog
from stopgap.telemetry.logs import log_to_stdout, write_last_lines
from stopgap.telemetry.metrics import PUBLISH_SECONDS, Metrics
from stopgap.telemetry.outlet import standard_output
from stopgap.telemetry.trace_queue import SEND_SECONDS, TraceQueue
from stopgap.web import app as web
from stopgap.web.callers import look_up
from stopgap.web.console.images import PREFIX as IMAGES_PAGE
from stopgap.web.console.predict import PREFIX as PREDICT_PAGE
from stopgap.wiring.building import build_parts
from stopgap.wiring.installation import Installation
from stopgap.wiring.preparing import prepare, settings_of_environment
from stopgap.wiring.sweeping import Sweeper

SWEEP_SECONDS = 600
"""What has expired is refused at once; it is gone from the disk this much later."""

DAY_SECONDS = 86_400

logger = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> web.Application:
    """Build the Flask application; without settings, from the environment."""
    installation = prepare(settings or settings_of_environment())
    return web.create_app(build_parts(installation, Metrics(installation.at.metrics)))


def build_door(installation: Installation, supervisor: Supervisor, *, helped: bool) -> Asgi:
    """Build what a worker serves.

    Args:
        helped: Whether other workers answer until this one has loaded its models.
    """
    settings, clock = installation.settings, SystemClock()
    log_to_stdout(settings.log_level)
    parts = build_parts(installation, Metrics(installation.at.metrics), helped=helped)
    application, flushes = web.create_app(parts), []
    log = AccessLog(clock.microseconds, standard_output().put) if settings.access_log else None
    traces = installation.traces(clock.monotonic)
    if log:
        flushes.append(Chore(call=log.flush, every=FLUSH_SECONDS))
    if traces:
        flushes.append(Chore(call=traces.send, every=SEND_SECONDS))
    door: Asgi = door_to(application, parts, supervisor=supervisor, flushes=flushes)
    if traces:
        door = _traced(door, traces, application, settings)
    return AccessLogMiddleware(door, log, trusted=settings.trusted_proxies) if log else door


def _traced(
    door: Asgi, traces: TraceQueue, application: web.Application, settings: Settings
) -> TracingMiddleware:
    return TracingMiddleware(
        door,
        traces,
        share=settings.trace_percent / 100,
        draw=random.Random().random,  # noqa: S311  # a draw is no secret
        trusted=settings.trusted_proxies,
        route=partial(web.route_of, application),
        now=SystemClock().microseconds,
    )


def door_to(
    application: web.Application,
    parts: Parts,
    *,
    supervisor: Supervisor,
    flushes: Sequence[Chore] = (),
) -> Door:
    """Put the door in front of an application.

    Args:
        parts: What the application was built from.
        flushes: What has been noted is written by these, once more at the end.
    """
    settings = parts.settings
    prefixes = [contract.prefix for contract in parts.contracts]
    in_flight = InFlightLimit(settings.max_requests)
    intake = Intake(seconds=settings.body_seconds, places=settings.max_requests // 2)
    sending = Sending(parts.ids, places=settings.max_requests // 2)
    return Door(
        application,
        express=_lane(ExpressLane, parts),
        waiting=_lane(WaitingLane, parts),
        quota=_quota(parts, prefixes),
        single_flight=SingleFlight(
            prefixes=prefixes, recent=parts.recent, look_up=partial(look_up, parts)
        ),
        in_flight=in_flight,
        intake=intake,
        pools=Pools(
            threads=settings.threads,
            prefixes=prefixes,
            images=("/images", IMAGES_PAGE),
            image_bytes=settings.image_bytes + web.FORM_ROOM,
        ),
        sending=sending,
        metrics=parts.metrics,
        lifespan=Lifespan(
            engine=parts.engine,
            chores=[*_chores(parts), *flushes],
            supervisor=supervisor,
            leaving=Leaving(
                in_flight=in_flight, intake=intake, sending=sending, end_models=parts.engine.leave
            ),
            close=partial(_close, parts, flushes),
        ),
    )


def _chores(parts: Parts) -> list[Chore]:
    """List what a worker does by itself."""
    journal_days, clock = parts.settings.journal_days, parts.clock
    rows = Sweeper("sessions and images", partial(parts.database.other_time, clock), clock)
    answers = Sweeper("answers", parts.journal.other_time, clock)
    return [
        Chore(call=parts.metrics.publish, every=PUBLISH_SECONDS),
        Chore(call=partial(rows.do, parts.sessions.sweep), every=SWEEP_SECONDS),
        Chore(call=partial(rows.do, parts.images.sweep), every=SWEEP_SECONDS),
        Chore(call=partial(rows.do, parts.watch.sweep), every=SWEEP_SECONDS),
        Chore(call=partial(_sweep_artifacts, parts), every=DAY_SECONDS),
        Chore(call=parts.images.sweep_orphans, every=DAY_SECONDS),
        Chore(
            call=partial(answers.do, partial(parts.journal.sweep, journal_days)),
            every=SWEEP_SECONDS,
        ),
        Chore(call=parts.spool.renew, every=SWEEP_SECONDS),
        *_exchanges(parts.counts),
    ]


def _exchanges(counts: MemoryCounts) -> Iterator[Chore]:
    """Have counts exchanged with other processes', where they are shared."""
    if isinstance(counts, SharedCounts):
        yield Chore(call=counts.exchange, every=EXCHANGE_SECONDS)


Plain = TypeVar("Plain", ExpressLane, WaitingLane)


def _lane(kind: type[Plain], parts: Parts) -> Plain:
    """Build a lane for plain requests."""
    return kind(
        parts.contracts,
        closed=parts.settings.predictions != "open",
        predicting=parts.predicting,
        recent=parts.recent,
        ids=parts.ids,
        metrics=parts.metrics,
    )


def _close(parts: Parts, flushes: Sequence[Chore]) -> None:
    for flush in flushes:
        try:
            flush.call()
        except Exception:  # whatever it is, the spool and the models are closed
            logger.exception("what was noted last could not be written")
    parts.close()
    write_last_lines()


def _sweep_artifacts(parts: Parts) -> None:
    parts.artifacts.sweep(parts.releases.needed())


def _quota(parts: Parts, prefixes: Sequence[str]) -> Quota | None:
    limit, trusted = parts.prediction_limit, parts.settings.trusted_proxies
    if limit is None:
        return None
    return Quota(
        limit, prefixes=prefixes, pages=[PREDICT_PAGE], recent=parts.recent, trusted=trusted
    )
