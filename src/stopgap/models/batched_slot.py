"""A batched slot: how rows come to a slot's model and its answers back, whatever it runs in."""

from collections.abc import Awaitable, Sequence
from typing import Any

from stopgap.contracts.row import Row
from stopgap.models.batcher import Batcher
from stopgap.models.refusing_batcher import RefusingBatcher


class BatchedSlot:
    """A slot's half that callers see.

    Args:
        refusing: Refuses them until there is a model.
    """

    _batcher: Batcher | RefusingBatcher

    def __init__(self, refusing: RefusingBatcher) -> None:
        self._batcher = refusing

    @property
    def waiting(self) -> int:
        """Rows that wait or are being answered."""
        return self._batcher.waiting

    @property
    def trouble(self) -> str | None:
        """Why the model cannot be asked now; None: it can be."""
        return self._batcher.trouble

    def answer(self, row: Row) -> Awaitable[Any]:
        """Answer one row, in a batch with those that wait.

        Raises:
            ModelFailed: there is no answer, by the deadline.
        """
        return self._batcher.ask((row,), whole=False)

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Ask for exactly these rows in one call.

        Raises:
            ModelFailed: the whole call has no answer.
        """
        outputs: Sequence[Any] = await self._batcher.ask(rows, whole=True) if rows else []
        return outputs
