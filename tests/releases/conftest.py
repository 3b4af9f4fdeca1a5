"""Releases on each kind of database."""

import pytest
from tests.contracts.promises import DELIVERY, LETTER
from tests.fakes import FakeClock

from stopgap.releases.releases import Releases
from stopgap.releases.watch import Watch
from stopgap.storage.database import Database


@pytest.fixture
def releases(database: Database, clock: FakeClock) -> Releases:
    """Keep the releases of two contracts."""
    return Releases(database, clock, [DELIVERY, LETTER])


@pytest.fixture
def watch(database: Database, clock: FakeClock) -> Watch:
    """Watch the releases of two contracts."""
    return Watch(database, clock, [DELIVERY, LETTER])
