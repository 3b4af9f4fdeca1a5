"""The slot: a model that is loaded, warm and ready to answer on one event loop."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Protocol

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.hosted import HostedSlot
from stopgap.models.in_process import InProcessSlot
from stopgap.models.kinds import find_kind
from stopgap.models.loaded import Loaded
from stopgap.models.specification import Specification


class Slot(Protocol):
    """A model behind a deadline. All of it is called on the event loop that started it.

    Answers are brought into the contract's type as the release says, but not guarded: whoever
    gives them to a client holds them against the contract.
    """

    @property
    def waiting(self) -> int:
        """Rows that wait or are being answered."""

    @property
    def memory(self) -> int:
        """Bytes that the model's own process holds, resident; 0: unknown, or no such process."""

    @property
    def trouble(self) -> str | None:
        """Why the model cannot be asked now, in words for operators; None: it can be."""

    async def start(self) -> Loaded:
        """Load the model and warm it up; one that has its own process may be, again, after a stop.

        Raises:
            ModelUnloadable: it cannot be loaded, or did not come to its first answer.
        """

    def answer(self, row: Row) -> Awaitable[Any]:
        """Answer one row; rows that wait together are asked together.

        May be cancelled at any moment.

        Raises:
            ModelFailed: there is no answer. It is raised by the deadline, queueing included.
        """

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Ask for exactly these rows in exactly one call, however many they are.

        If the call fails, nothing is tried again: the failure stands in every row's place.

        Returns:
            Outputs in the rows' order; a `ModelFailed` in the place of an output that there is not.

        Raises:
            ModelFailed: the whole call has no answer: late, died, unavailable.
        """

    async def stop(self) -> None:
        """Stop the model and give back all that it holds; rows that still wait are failed."""


def open_slot(
    specification: Specification,
    contract: Contract,
    *,
    contract_source: str,
    path: Path | None = None,
    background: bool = False,
) -> Slot:
    """Make a slot for a model; `start` loads it.

    Args:
        contract_source: Where the contract is imported from, as the setting names it
            (`package.module:attribute` or `file.py:attribute`): its process imports it anew.
        path: The model's file, as the artifact store has fetched it; None: where the URI says.
        background: Whether its process lets every other on the machine go first; a shadow's should.

    Raises:
        ModelKindUnknown: nobody here knows such a model.
    """
    if specification.python is None:
        find_kind(specification.uri)  # another Python may know more kinds than this one
    if specification.in_process:
        return InProcessSlot(specification, contract, path=path)
    return HostedSlot(
        specification, contract, source=contract_source, path=path, background=background
    )
