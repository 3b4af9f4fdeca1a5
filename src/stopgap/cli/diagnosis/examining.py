"""Examining: what is wrong with a set-up, found without changing anything of it."""

from collections.abc import Iterator
from dataclasses import replace

from stopgap.cli.diagnosis import contracts, databases, folders, machine, reach, services
from stopgap.cli.diagnosis.diagnosis import Diagnosis, Look, Weight
from stopgap.clock import Clock
from stopgap.errors import StopgapError
from stopgap.settings import Settings

LOOKS: tuple[Look, ...] = (
    contracts.contracts,
    folders.data_folder,
    folders.secret,
    databases.database,
    databases.journal,
    services.limits,
    services.traces,
    folders.images,
    reach.port,
    reach.source_link,
    reach.who_may_sign_in,
    reach.cookies,
    reach.proxies,
    machine.clock,
    folders.disk,
    folders.temporary_files,
    machine.open_files,
)
"""Every look, in its order; its name is what people read."""

FIXES = {
    "contracts": "Correct STOPGAP_CONTRACTS.",
    "database": "Start it, let its user write there, or correct DATABASE_URL.",
    "journal": "Start it, let its user write there, or correct STOPGAP_JOURNAL_URL.",
    "limits": "Correct STOPGAP_LIMITS.",
    "images": "Correct STOPGAP_OBJECTS.",
    "port": "Correct STOPGAP_HOST and STOPGAP_PORT.",
}
"""What to do where a look itself was refused."""


def examine(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """Look at everything that the server needs; nothing is changed, and nothing is made."""
    for look in LOOKS:
        what = look.__name__.replace("_", " ")
        try:
            yield from (
                replace(diagnosis, what=diagnosis.what or what)
                for diagnosis in look(settings, clock)
            )
        except StopgapError as error:
            yield Diagnosis(what=what, weight=Weight.WRONG, told=error.detail, fix=FIXES.get(what))
        except OSError as error:  # most likely a folder that this user may not look into
            told = f"{error.filename}: {error.strerror}."
            yield Diagnosis(what=what, weight=Weight.WRONG, told=told, fix="Let this user read it.")
