"""Places: where things are kept, as the settings have it."""

from pathlib import Path

from stopgap.accounts.throttling import Throttle
from stopgap.models.artifacts import Artifacts
from stopgap.releases.last_known import LastKnown
from stopgap.settings import Settings
from stopgap.storage.objects import open_objects


def journal_url(settings: Settings) -> str:
    """Tell where the journal is kept: with SQLite in a file of its own, the drainer's."""
    url = settings.database_url or ""
    beside = f"sqlite:///{settings.data / 'journal.db'}"
    return settings.journal_url or (beside if url.startswith("sqlite:") else url)


def spool_folder(settings: Settings) -> Path:
    """Tell where answers are on record until the drainer has moved them into the journal."""
    return settings.data / "spool"


def last_known(settings: Settings) -> LastKnown:
    """Open the copy of who answers, for a start while the database is away."""
    return LastKnown(settings.data / "releases.json")


def open_artifacts(settings: Settings) -> Artifacts:
    """Open where models' files are: beside the images, and nothing else there."""
    shelf = f"{(settings.objects or '').rstrip('/')}/models"
    return Artifacts(open_objects(shelf), settings.data / "models")


def open_throttle(settings: Settings, secret: bytes) -> Throttle:
    """Open where failed logins are counted."""
    return Throttle(settings.limits, secret=secret, failures=settings.login_failures)
