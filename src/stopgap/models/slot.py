"""The slot: a model that is loaded, warm and ready to answer on one event loop."""

from collections.abc import Sequence
from typing import Any, Protocol

from stopgap.contracts.row import Row
from stopgap.models.loaded import Loaded

__all__ = ["Loaded", "Slot"]


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

    async def start(self) -> Loaded:
        """Load the model and warm it up.

        Raises:
            ModelUnloadable: it cannot be loaded, or did not come to its first answer.
        """

    async def answer(self, row: Row) -> Any:
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
