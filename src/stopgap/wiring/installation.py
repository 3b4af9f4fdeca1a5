"""The installation: a server's settings, and where everything of its own is kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from stopgap import __version__
from stopgap.accounts.counts import open_counts
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.models.artifacts import Artifacts
from stopgap.releases.last_known import LastKnown
from stopgap.settings import Settings
from stopgap.storage.object_stores import open_objects
from stopgap.telemetry.collectors import open_collector
from stopgap.telemetry.trace_queue import TraceQueue


@dataclass(frozen=True, kw_only=True)
class Locations:
    """Where things are kept; with nothing in the settings, all of it is in the data folder."""

    database: str  # a URL
    journal: str  # a URL: with SQLite, a file of its own, the drainer's
    objects: str  # a URL, or a folder
    artifacts: str  # beside the images, and nothing else there
    secret: Path  # the one that is made where the settings have none
    spool: Path  # where answers are on record until they are in the journal
    metrics: Path  # where the workers publish what they count
    models: Path  # where workers have copies of models' files
    last_known: Path  # who answers, for a start while the database is away

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Tell where the things of an installation with these settings are, or will be."""
        data = settings.data
        database = settings.database_url or f"sqlite:///{data / 'stopgap.db'}"
        objects = settings.objects or str(data / "objects")
        beside = f"sqlite:///{data / 'journal.db'}"
        return cls(
            database=database,
            journal=settings.journal_url
            or (beside if database.startswith("sqlite:") else database),
            objects=objects,
            artifacts=f"{objects.rstrip('/')}/models",
            secret=data / "secret",
            spool=data / "spool",
            metrics=data / "metrics",
            models=data / "models",
            last_known=data / "releases.json",
        )


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One that has been made ready: the folder, the tables and the secret are there."""

    settings: Settings
    secret: bytes = field(repr=False)  # signs, and makes what is kept of secrets useless to others

    @cached_property
    def at(self) -> Locations:
        """Where its things are."""
        return Locations.of(self.settings)

    def last_known(self) -> LastKnown:
        """Open the copy of who answers."""
        return LastKnown(self.at.last_known)

    def artifacts(self) -> Artifacts:
        """Open where models' files are."""
        return Artifacts(open_objects(self.at.artifacts), self.at.models)

    def counts(self) -> MemoryCounts:
        """Open where failed sign-ins and limited predictions are counted."""
        return open_counts(self.settings.limits, self.secret)

    def traces(self, monotonic: Callable[[], float]) -> TraceQueue | None:
        """Open where traces wait to be sent; None: there are none."""
        url = self.settings.traces
        return TraceQueue(open_collector(url, __version__), monotonic) if url else None
