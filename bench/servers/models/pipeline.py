"""The pipeline that every server has: the sales example's, as its `train.py` wrote it."""

import os
from collections.abc import Sequence

import pandas as pd
import skops.io

from bench.servers.prediction import Sales

TRUSTED = ["sklearn.tree._tree.Tree"]
"""What the file holds besides the types that skops trusts unasked."""


class Pipeline:
    """The model, loaded and asked once."""

    def __init__(self) -> None:
        self._pipeline = skops.io.load(os.environ["MODEL"], trusted=TRUSTED)
        self.predict([Sales(seller_available=0, month="january", customer_visiting_website=0)] * 2)

    def predict(self, rows: Sequence[Sales]) -> list[int]:
        """Predict for all of the rows in one call."""
        columns = {name: [getattr(row, name) for row in rows] for name in Sales.model_fields}
        return [round(value) for value in self._pipeline.predict(pd.DataFrame(columns)).tolist()]
