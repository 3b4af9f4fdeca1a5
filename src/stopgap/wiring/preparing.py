"""Preparing: what is made ready once, before any worker is there."""

import os
from contextlib import closing
from dataclasses import replace

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.passwords import Passwords
from stopgap.clock import RandomIds, SystemClock
from stopgap.contracts.loading import load_contracts
from stopgap.releases.releases import Releases
from stopgap.settings import Settings, read_settings
from stopgap.storage.data_folder import kept_secret, open_data_folder
from stopgap.storage.database import JOURNAL, migrate, open_database
from stopgap.storage.objects import open_objects
from stopgap.wiring.places import journal_url, last_known, open_throttle


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
    open_throttle(settings, b"")
    folder = open_data_folder(settings.data)
    complete = replace(
        settings,
        data=folder,
        database_url=settings.database_url or f"sqlite:///{folder / 'stopgap.db'}",
        objects=settings.objects or str(folder / "objects"),
    )
    complete = replace(complete, journal_url=journal_url(complete))
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


def keep_routings(settings: Settings) -> None:
    """Keep who is to answer, so that a worker that starts later need not ask the database.

    Args:
        settings: A server's, as `prepare` has completed them. A command may know other contracts.
    """
    contracts = load_contracts(settings.contracts)
    with closing(open_database(settings.database_url or "")) as database:
        releases = Releases(database, SystemClock(), contracts)
        routings = {each.name: releases.routing(each.name) for each in contracts}
    last_known(settings).write(routings)
