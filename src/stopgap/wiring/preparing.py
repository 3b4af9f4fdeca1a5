"""Preparing: what is made ready once, before any worker is there."""

import os
from collections.abc import Mapping
from contextlib import closing, nullcontext, suppress
from dataclasses import replace

from stopgap import __version__
from stopgap.accounts.accounts import Accounts
from stopgap.accounts.counts import open_counts
from stopgap.accounts.passwords import Passwords
from stopgap.clock import RandomIds, SystemClock
from stopgap.contracts.loading import load_contracts
from stopgap.releases.releases import Releases
from stopgap.settings import Settings, read_settings
from stopgap.storage.data_folder import kept_secret, open_data_folder
from stopgap.storage.database import Database, open_database
from stopgap.storage.history import JOURNAL, migrate
from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import DiskFull, ObjectsUnwritable, check
from stopgap.telemetry.collectors import open_collector
from stopgap.wiring.installation import Installation, Locations


def settings_of_environment() -> Settings:
    """Read the settings of this process."""
    return read_settings(os.environ)


def prepare(settings: Settings, *, with_objects: bool = True) -> Installation:
    """Make ready, once, what every worker then relies on; nothing is open afterwards.

    The data folder, the schema, the secret and the demo account exist afterwards; where there is to
    be none, what it has left of an earlier demo is closed. Whatever can be refused is refused
    before anything is written. Several who do this at once do each other no harm.

    Args:
        settings: What the operator has said.
        with_objects: Whether it is refused where no objects can be kept; else who needs them is.
    """
    load_contracts(settings.contracts)
    open_counts(settings.limits, b"")
    if settings.traces:
        open_collector(settings.traces, __version__)
    folder = open_data_folder(settings.data)
    settings = replace(settings, data=folder)
    at = Locations.of(settings)
    with nullcontext() if with_objects else suppress(ObjectsUnwritable, DiskFull):
        for place in (at.objects, at.artifacts):
            prepare_objects(place)
    with closing(open_database(at.database)) as database:
        migrate(database)
        with closing(open_database(at.journal)) as journal:
            migrate(journal, JOURNAL)
        secret = settings.secret or kept_secret(at.secret)
        if settings.demo_account:
            _accounts(database).ensure_demo_account()
        else:
            _accounts(database).close_demo_account()
    return Installation(settings=settings, secret=secret.encode())


def is_demo_open(installation: Installation) -> bool:
    """Tell whether anybody may sign in with the demo's password, so that it can be told."""
    if not installation.settings.demo_account:
        return False
    with closing(open_database(installation.at.database)) as database:
        return _accounts(database).is_demo_open()


def _accounts(database: Database) -> Accounts:
    return Accounts(database, SystemClock(), RandomIds(), passwords=Passwords(rules=False))


def check_objects(installation: Installation) -> None:
    """See that images and models' files can be kept, and read again.

    Raises:
        DiskFull: there is no room.
        ObjectsUnwritable: they cannot, until somebody mends it.
        ObjectsUnreachable: they cannot now.
    """
    check(open_objects(installation.at.objects))


def keep_routings(installation: Installation) -> None:
    """Keep who is to answer, so that a worker that starts later need not ask the database.

    Args:
        installation: A server's; a command's may know other contracts.
    """
    contracts = load_contracts(installation.settings.contracts)
    with closing(open_database(installation.at.database)) as database:
        releases = Releases(database, SystemClock(), contracts)
        routings = {each.name: releases.routing(each.name) for each in contracts}
    installation.last_known().write(routings)


def left_behind(installation: Installation) -> Mapping[str, int]:
    """Tell the live releases that answer nobody here, perhaps as their contract was renamed."""
    contracts = load_contracts(installation.settings.contracts)
    with closing(open_database(installation.at.database)) as database:
        return Releases(database, SystemClock(), contracts).left_behind()
