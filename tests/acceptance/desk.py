"""The desk: where releases of a running server's contract are handed in, and moved."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.releases.making import report

from stopgap.clock import SystemClock
from stopgap.contracts.madcompany import contract
from stopgap.journal.journal import Journal
from stopgap.models.specification import Specification
from stopgap.releases.releases import Releases
from stopgap.storage.database import open_database

SHOP = Path(__file__).with_name("shop.py")
HOSTILE = Path(__file__).parents[1] / "models" / "hostile.py"
NAME = contract.name


@contextmanager
def desk(data: Path, url: str | None = None) -> Iterator[Releases]:
    """Open the releases of a server that keeps its things in a folder, or in a database."""
    with closing(open_database(url or f"sqlite:///{data / 'stopgap.db'}")) as database:
        yield Releases(database, SystemClock(), [contract])


def add(releases: Releases, model: str, *, file: Path = SHOP, **told: object) -> int:
    """Hand a model in, as one that was verified; tell its number."""
    document = {"uri": f"python:{file}:{model}", **told}
    release = releases.add(NAME, Specification.of(document), "ann")
    releases.keep_report(NAME, release.number, report(contract, at=SystemClock().now()), "ann")
    return release.number


def recorded(data: Path) -> dict[str, str]:
    """Tell which release answered each request, as the journal has it."""
    with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as database:
        journal = Journal(database, SystemClock())
        return {each.record.id: each.record.release for each in journal.export()}
