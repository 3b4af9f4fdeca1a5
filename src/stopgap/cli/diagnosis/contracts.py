"""Whether the contracts of a set-up can be served."""

from collections.abc import Iterator

from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine
from stopgap.clock import Clock
from stopgap.contracts.loading import load_contracts
from stopgap.settings import Settings


def contracts(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether they can be imported, and served side by side."""
    names = ", ".join(contract.name for contract in load_contracts(settings.contracts))
    yield fine(f"{names} can be served.")
