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
from stopgap.accounts.password_change import PasswordChange
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
from stopgap.images.gallery import Images
from stopgap.images.image import Bounds as ImageBounds
from stopgap.journal.downloads import Downloads
from stopgap.journal.journal import Journal
from stopgap.journal.recent_charts import RecentCharts
from stopgap.journal.spool import Spool
from stopgap.models.stand_in import stand_in
from stopgap.predicting import STAND_IN, Predicting, Release
from stopgap.settings import Settings, read_settings
from stopgap.storage.data_folder import kept_secret, open_data_folder
from stopgap.storage.database import JOURNAL, Database, migrate, open_database
from stopgap.storage.objects import open_objects
from stopgap.telemetry.logs import log_to_stdout
from stopgap.telemetry.metrics import PUBLISH_SECONDS, Metrics
from stopgap.web import app as web
from stopgap.web.console.predict import PREFIX as PREDICT_PAGE
from stopgap.web.parts import Parts

SWEEP_SECONDS = 600
"""What has expired is refused at once; it is gone from the disk this much later."""

DAY_SECONDS = 86_400

SWITCH_SECONDS = 0.000_5
"""How long a model that computes in a thread of ours may hold the interpreter while the event loop
waits. With Python's 5 ms, four such threads leave a refusal waiting for 40 ms, with this for 14.
Where no model does, it only costs: a third of all predictions."""


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
        if complete.demo_account:
            passwords = Passwords(rules=False)
            Accounts(
                database, SystemClock(), RandomIds(), passwords=passwords
            ).ensure_demo_account()
    finally:
        database.close()
    return complete


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
    accounts = Accounts(database, clock, ids, passwords=passwords)
    journal = Journal(open_database(settings.journal_url or ""), clock)
    return Parts(
        settings=settings,
        contracts=contracts,
        predicting=_predicting(contracts, settings, clock, spool, metrics),
        metrics=metrics,
        spool=spool,
        journal=journal,
        charts=RecentCharts(journal, clock.monotonic),
        downloads=Downloads(settings.journal_url or ""),
        recent=RecentCallers(clock.monotonic),
        accounts=accounts,
        sign_in=sign_in,
        password_change=PasswordChange(accounts, sign_in),
        sessions=sessions,
        keys=Keys(database, clock, ids, secret=secret),
        images=_images(settings, database, clock, ids, secret),
        database=database,
        clock=clock,
        ids=ids,
    )


def _throttle(settings: Settings, secret: bytes) -> Throttle:
    return Throttle(settings.limits, secret=secret, failures=settings.login_failures)


def _predicting(
    contracts: Sequence[Contract], settings: Settings, clock: Clock, spool: Spool, metrics: Metrics
) -> Predicting:
    source = random.Random()  # noqa: S311  # a draw is no secret
    releases = [
        Release(contract=each, name=STAND_IN, model=stand_in(each, settings.stand_in, source))
        for each in contracts
    ]
    strict = settings.journal == "strict"
    return Predicting(releases, clock=clock, spool=spool, strict=strict, metrics=metrics)


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


def build_door(settings: Settings, supervisor: int) -> Door:
    """Build what a worker serves, from settings that `prepare` has completed.

    Args:
        supervisor: The process id of who keeps the workers; the worker ends when it is gone.
    """
    log_to_stdout(settings.log_level)
    parts = build_parts(settings, Metrics(settings.data / "metrics"))
    return door_to(parts, quick=parts.contracts, supervisor=supervisor)


def door_to(parts: Parts, *, quick: Sequence[Contract], supervisor: int) -> Door:
    """Put the door in front of an application.

    Args:
        quick: The contracts whose model answers at once, as stand-ins do; others would hold up the
            event loop in the express lane.
        supervisor: The process id of who keeps the workers; the worker ends when it is gone.
    """
    settings = parts.settings
    prefixes = [contract.prefix for contract in parts.contracts]
    if len(quick) < len(parts.contracts):
        sys.setswitchinterval(SWITCH_SECONDS)
    return Door(
        web.create_app(parts),
        express=ExpressLane(
            quick if settings.predictions == "open" else (),
            predicting=parts.predicting,
            recent=parts.recent,
            ids=parts.ids,
        ),
        quota=_quota(parts, [*prefixes, PREDICT_PAGE]),
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
            Chore(call=parts.images.sweep_orphans, every=DAY_SECONDS),
            Chore(call=partial(parts.journal.sweep, settings.journal_days), every=SWEEP_SECONDS),
        ],
        supervisor=supervisor,
        close=parts.close,
    )


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
