"""The refusing batcher: what stands in a batcher's place while there is no model to ask."""

from collections.abc import Sequence
from typing import NoReturn

from stopgap.contracts.row import Row
from stopgap.models.batcher import Refusal


class RefusingBatcher:
    """Refuses whoever asks, at once.

    Args:
        refusal: Says why, and when to come back.
        flying: Rows over which the model hangs, if that is why it is away.
    """

    def __init__(self, refusal: Refusal, *, flying: int = 0) -> None:
        self._refusal = refusal
        self.flying = flying

    @property
    def waiting(self) -> int:
        """Rows over which the model hangs: nobody else waits here."""
        return self.flying

    @property
    def trouble(self) -> str:
        """Why there is none."""
        return self._refusal().reason

    def ask(self, _rows: Sequence[Row], **_how: bool) -> NoReturn:
        """Refuse.

        Raises:
            ModelFailed: always.
        """
        raise self._refusal()

    def refuse(self, refusal: Refusal) -> None:
        """Fail what waits: nothing."""

    def end(self, refusal: Refusal) -> None:
        """Fail what is in flight: nothing."""
