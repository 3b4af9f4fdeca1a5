"""Where the parts meet: settings in, storage opened, nouns made, the application handed out."""

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.keys import Keys
from stopgap.accounts.passwords import Passwords
from stopgap.accounts.sessions import Sessions
from stopgap.accounts.sign_in import SignIn
from stopgap.accounts.throttling import Throttle
from stopgap.clock import Clock, Ids, RandomIds, SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contracts
from stopgap.front.chores import Chore
from stopgap.front.door import Door
from stopgap.front.intake import Bounds
from stopgap.images.gallery import Images
from stopgap.images.image import Bounds as ImageBounds
from stopgap.models.stand_in import stand_in
from stopgap.predicting import STAND_IN, Predicting, Release
from stopgap.settings import Settings, read_settings
from stopgap.storage.data_folder import kept_secret, open_data_folder
from stopgap.storage.database import Database, migrate, open_database
from stopgap.storage.objects import open_objects
from stopgap.telemetry.logs import log_to_stdout
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
    open_objects(complete.objects or "")
    database = open_database(complete.database_url or "")
    try:
        migrate(database)
        complete = replace(complete, secret=settings.secret or kept_secret(folder))
        if complete.demo_account:
            passwords = Passwords(rules=False)
            Accounts(
                database, SystemClock(), RandomIds(), passwords=passwords
            ).ensure_demo_account()
    finally:
        database.close()
    return complete


def build_parts(settings: Settings) -> Parts:
    """Build everything that the application is made of; after the worker's fork, never before."""
    clock, ids = SystemClock(), RandomIds()
    secret = (settings.secret or "").encode()
    database = open_database(settings.database_url or "")
    contracts = load_contracts(settings.contracts)
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
        predicting=_predicting(contracts, settings),
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


def _predicting(contracts: Sequence[Contract], settings: Settings) -> Predicting:
    source = random.SystemRandom()
    return Predicting(
        [
            Release(contract=each, name=STAND_IN, model=stand_in(each, settings.stand_in, source))
            for each in contracts
        ]
    )


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
    return web.create_app(build_parts(complete))


def build_door(settings: Settings) -> Door:
    """Build what a worker serves, from settings that `prepare` has completed."""
    log_to_stdout(settings.log_level)
    parts = build_parts(settings)
    return Door(
        web.create_app(parts),
        threads=settings.threads,
        bounds=Bounds(
            body_bytes=settings.image_bytes + web.FORM_ROOM, body_seconds=settings.body_seconds
        ),
        ids=parts.ids,
        chores=[
            Chore(call=parts.sessions.sweep, every=SWEEP_SECONDS),
            Chore(call=parts.images.sweep, every=SWEEP_SECONDS),
            Chore(call=parts.images.sweep_orphans, every=DAY_SECONDS),
        ],
        close=parts.database.close,
    )
