"""The same model as plain Python, for code of your own before or after it.

`stopgap release add python:examples/sales/model.py:Sales --bring round` hands it in. Each worker
then has one `Sales`, in a process of its own, which is asked for as many inputs as wait, up to 64.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import skops.io
from pydantic import BaseModel

HERE = Path(__file__).parent
TRUSTED = ["sklearn.tree._tree.Tree"]
"""What the file holds besides the types that skops trusts unasked."""


class Sales:
    """The trained pipeline, loaded once."""

    def __init__(self) -> None:
        self._pipeline = skops.io.load(HERE / "sales.skops", trusted=TRUSTED)

    def predict(self, rows: Sequence[BaseModel]) -> list[float]:
        """Predict the sales of each row, which has the contract's inputs as attributes."""
        frame = pd.DataFrame([row.model_dump() for row in rows])
        return [float(value) for value in self._pipeline.predict(frame)]
