"""Where the parts meet: settings in, storage opened, nouns made, the application handed out."""

import os
import random
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.keys import Keys
from stopgap.accounts.passwords import Passwords
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.accounts.sessions import Sessions
from stopgap.accounts.sign_in import SignIn
from stopgap.accounts.throttling import Throttle
from stopgap.clock import Clock, Ids, RandomIds, SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contracts
from stopgap.front.admission import Places, Quota
from stopgap.front.chores import Chore
from stopgap.front.door import Door
from stopgap.front.express import ExpressLane
from stopgap.front.intake import Intake
from stopgap.front.lane import Lanes
from stopgap.front.sending import Sending
from stopgap.front.waiting import WaitingLane
from stopgap.front.witness import Asgi, Witness
from stopgap.images.gallery import Images
from stopgap.images.image import Bounds as ImageBounds
from stopgap.journal.journal import Journal
from stopgap.journal.spool import Spool
from stopgap.models.artifacts import Artifacts
from stopgap.models.stand_in import stand_in
from stopgap.predicting.engine import Engine
from stopgap.predicting.line import Instant
from stopgap.predicting.predicting import Predicting
from stopgap.releases.following import Follower
from stopgap.releases.last_known import LastKnown
from stopgap.releases.opening import Opener
from stopgap.releases.release import STAND_IN
from stopgap.releases.releases import Releases
from stopgap.releases.reporting import Reporter
from stopgap.releases.trial import Trial
from stopgap.releases.watch import Watch
from stopgap.settings import Settings, read_settings
from stopgap.storage.data_folder import kept_secret, open_data_folder
from stopgap.storage.database import JOURNAL, Database, migrate, open_database
from stopgap.storage.objects import open_objects
from stopgap.telemetry.access import FLUSH_SECONDS, AccessLog
from stopgap.telemetry.logs import log_to_stdout
from stopgap.telemetry.metrics import PUBLISH_SECONDS, Metrics
from stopgap.web import app as web
from stopgap.web.parts import Parts

SWEEP_SECONDS = 600
"""What has expired is refused at once; it is gone from the disk this much later."""

DAY_SECONDS = 86_400


def settings_of_environment() -> Settings:
    """Read the settings of this process."""
    return read_settings(os.environ)


def prepare(settings: Settings) -> Settings:
    """Make ready, once, what every worker then relies on; return the settings with nothing open.

    The data folder, the schema, the secret and the demo account exist afterwards. Whatever can
    be refused is refused before anything is written. Several who do this at once do each other
    no harm.
    """
    load_contracts(settings.contracts)
    _throttle(settings, b"")
    folder = open_data_folder(settings.data)
    complete = replace(
        settings,
        data=folder,
        database_url=settings.database_url or f"sqlite:///{folder / 'stopgap.db'}",
        objects=settings.objects or str(folder / "objects"),
    )
    complete = replace(complete, journal_url=_journal_url(complete))
    open_objects(complete.objects or "")
    database = open_database(complete.database_url or "")
    try:
        migrate(database)
        with closing(open_database(complete.journal_url or "")) as journal:
            migrate(journal, JOURNAL)
        complete = replace(complete, secret=settings.secret or kept_secret(folder))
        _keep_routings(complete, database)
        if complete.demo_account:
            passwords = Passwords(rules=False)
            Accounts(
                database, SystemClock(), RandomIds(), passwords=passwords
            ).ensure_demo_account()
    finally:
        database.close()
    return complete


def _keep_routings(settings: Settings, database: Database) -> None:
    """Keep who is to answer, so that a worker that starts later need not ask the database."""
    contracts = load_contracts(settings.contracts)
    releases = Releases(database, SystemClock(), contracts)
    _last_known(settings).write({each.name: releases.routing(each.name) for each in contracts})


def _journal_url(settings: Settings) -> str:
    """Tell where the journal is kept: with SQLite in a file of its own, the drainer's."""
    url = settings.database_url or ""
    beside = f"sqlite:///{settings.data / 'journal.db'}"
    return settings.journal_url or (beside if url.startswith("sqlite:") else url)


def build_parts(settings: Settings, metrics: Metrics | None = None) -> Parts:
    """Build everything that the application is made of; after the worker's fork, never before.

    Args:
        settings: As `prepare` has completed them.
        metrics: Where a server counts; a command's own doings are told to nobody.
    """
    metrics = metrics or Metrics()
    clock, ids = SystemClock(), RandomIds()
    secret = (settings.secret or "").encode()
    database = open_database(settings.database_url or "")
    contracts = load_contracts(settings.contracts)
    spool = Spool(spool_folder(settings), ids, fsync=settings.journal_fsync)
    releases = Releases(database, clock, contracts)
    watch = Watch(database, clock, contracts)
    reporter = Reporter(watch, releases.send_back, worker=ids.new())
    engine = Engine()
    predicting = _predicting(
        contracts,
        settings,
        clock=clock,
        spool=spool,
        metrics=metrics,
        engine=engine,
        reporter=reporter,
    )
    artifacts = _artifacts(settings)
    follower = _follower(
        settings,
        contracts,
        releases=releases,
        predicting=predicting,
        reporter=reporter,
        artifacts=artifacts,
        clock=clock,
    )
    engine.carry(follower.start, follower.stop)
    passwords = Passwords(rules=settings.password_rules)
    sessions = Sessions(
        database,
        clock,
        ids,
        secret=secret,
        hours=settings.session_hours,
        guest_hours=settings.guest_hours,
    )
    sign_in = SignIn(
        database,
        clock,
        sessions=sessions,
        passwords=passwords,
        throttle=_throttle(settings, secret),
        secret=secret,
        guests=settings.guests,
    )
    return Parts(
        settings=settings,
        contracts=contracts,
        predicting=predicting,
        engine=engine,
        releases=releases,
        watch=watch,
        artifacts=artifacts,
        trial=_trial(contracts, settings, artifacts),
        metrics=metrics,
        spool=spool,
        journal=Journal(
            open_database(settings.journal_url or ""), clock, spool=spool_folder(settings)
        ),
        recent=RecentCallers(clock.monotonic),
        accounts=Accounts(database, clock, ids, passwords=passwords),
        sign_in=sign_in,
        sessions=sessions,
        keys=Keys(database, clock, ids, secret=secret),
        images=_images(settings, database, clock, ids, secret),
        database=database,
        ids=ids,
    )


def _throttle(settings: Settings, secret: bytes) -> Throttle:
    return Throttle(settings.limits, secret=secret, failures=settings.login_failures)


def _predicting(
    contracts: Sequence[Contract],
    settings: Settings,
    *,
    clock: Clock,
    spool: Spool,
    metrics: Metrics,
    engine: Engine,
    reporter: Reporter,
) -> Predicting:
    source = random.Random()  # noqa: S311  # a draw is no secret
    instants = [
        Instant(contract=each, name=STAND_IN, model=stand_in(each, settings.stand_in, source))
        for each in contracts
    ]
    return Predicting(
        instants,
        clock=clock,
        spool=spool,
        strict=settings.journal == "strict",
        metrics=metrics,
        engine=engine,
        reporter=reporter,
    )


def _follower(
    settings: Settings,
    contracts: Sequence[Contract],
    *,
    releases: Releases,
    predicting: Predicting,
    reporter: Reporter,
    artifacts: Artifacts,
    clock: Clock,
) -> Follower:
    return Follower(
        releases,
        contracts=contracts,
        open=Opener(_sources(contracts, settings), artifacts),
        apply=predicting.apply,
        last_known=_last_known(settings),
        report=reporter.take,
        monotonic=clock.monotonic,
    )


def _artifacts(settings: Settings) -> Artifacts:
    """Open where models' files are: beside the images, and nothing else there."""
    shelf = f"{(settings.objects or '').rstrip('/')}/models"
    return Artifacts(open_objects(shelf), settings.data / "models")


def _last_known(settings: Settings) -> LastKnown:
    return LastKnown(settings.data / "releases.json")


def _trial(contracts: Sequence[Contract], settings: Settings, artifacts: Artifacts) -> Trial:
    return Trial({each.name: each for each in contracts}, _sources(contracts, settings), artifacts)


def _sources(contracts: Sequence[Contract], settings: Settings) -> dict[str, str]:
    """Tell where each contract is imported from: its models' processes do it anew."""
    named = zip(contracts, settings.contracts, strict=True)
    return {contract.name: place for contract, place in named}


def spool_folder(settings: Settings) -> Path:
    """Tell where answers are on record until the drainer has moved them into the journal."""
    return settings.data / "spool"


def _images(
    settings: Settings, database: Database, clock: Clock, ids: Ids, secret: bytes
) -> Images:
    return Images(
        database=database,
        objects=open_objects(settings.objects or ""),
        clock=clock,
        ids=ids,
        secret=secret,
        bounds=ImageBounds(
            bytes=settings.image_bytes,
            pixels=settings.image_pixels,
            uploads=settings.threads // 2,
            account_images=settings.account_images,
            guest_images=settings.guest_images,
            guest_bytes=settings.guest_bytes,
            guest_lifetime=timedelta(hours=settings.guest_hours),
        ),
    )


def create_app(settings: Settings | None = None) -> web.Application:
    """Build the Flask application; without settings, from the environment."""
    complete = prepare(settings or settings_of_environment())
    return web.create_app(build_parts(complete, Metrics(complete.data / "metrics")))


def build_door(settings: Settings, supervisor: int) -> Asgi:
    """Build what a worker serves, from settings that `prepare` has completed.

    Args:
        supervisor: The process id of who keeps the workers; the worker ends when it is gone.
    """
    log_to_stdout(settings.log_level)
    parts = build_parts(settings, Metrics(settings.data / "metrics"))
    if not settings.access_log:
        return door_to(parts, supervisor=supervisor)
    log = AccessLog(SystemClock().microseconds, partial(os.write, sys.stdout.fileno()))
    door = door_to(parts, supervisor=supervisor, log=log)
    return Witness(door, log, trusted=settings.trusted_proxies)


def door_to(parts: Parts, *, supervisor: int, log: AccessLog | None = None) -> Door:
    """Put the door in front of an application.

    Args:
        supervisor: The process id of who keeps the workers; the worker ends when it is gone.
        log: Written from time to time, if there is one, and at the end.
    """
    settings = parts.settings
    prefixes = [contract.prefix for contract in parts.contracts]
    plain = parts.contracts if settings.predictions == "open" else ()
    return Door(
        web.create_app(parts),
        express=ExpressLane(
            plain,
            predicting=parts.predicting,
            recent=parts.recent,
            ids=parts.ids,
            metrics=parts.metrics,
        ),
        waiting=WaitingLane(
            plain,
            predicting=parts.predicting,
            recent=parts.recent,
            ids=parts.ids,
            metrics=parts.metrics,
        ),
        engine=parts.engine,
        quota=_quota(parts, prefixes),
        places=Places(settings.max_requests),
        intake=Intake(seconds=settings.body_seconds, places=settings.max_requests // 2),
        lanes=Lanes(
            threads=settings.threads,
            prefixes=prefixes,
            image_bytes=settings.image_bytes + web.FORM_ROOM,
        ),
        sending=Sending(parts.ids, places=settings.max_requests // 2),
        metrics=parts.metrics,
        chores=[
            Chore(call=parts.metrics.publish, every=PUBLISH_SECONDS),
            Chore(call=parts.sessions.sweep, every=SWEEP_SECONDS),
            Chore(call=parts.images.sweep, every=SWEEP_SECONDS),
            Chore(call=parts.watch.sweep, every=SWEEP_SECONDS),
            Chore(call=partial(_sweep_artifacts, parts), every=DAY_SECONDS),
            Chore(call=parts.images.sweep_orphans, every=DAY_SECONDS),
            Chore(call=partial(parts.journal.sweep, settings.journal_days), every=SWEEP_SECONDS),
            *([Chore(call=log.flush, every=FLUSH_SECONDS)] if log else []),
        ],
        supervisor=supervisor,
        close=partial(_close, parts, log),
    )


def _close(parts: Parts, log: AccessLog | None) -> None:
    if log:
        log.flush()
    parts.close()


def _sweep_artifacts(parts: Parts) -> None:
    parts.artifacts.sweep(parts.releases.needed())


def _quota(parts: Parts, prefixes: Sequence[str]) -> Quota | None:
    settings = parts.settings
    if settings.prediction_limit is None:
        return None
    return Quota(
        PredictionLimit(settings.prediction_limit, settings.limits),
        prefixes=prefixes,
        recent=parts.recent,
        trusted=settings.trusted_proxies,
    )
