"""The model: the one thing that a real model and the stand-in have in common."""

from collections.abc import Sequence
from typing import Any, Protocol

from stopgap.contracts.row import Row


class Model(Protocol):
    """Anything that answers rows of a contract's inputs, a batch at a time."""

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row with one output, in the rows' order."""
