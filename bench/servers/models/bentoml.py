"""The pipeline on BentoML, with its adaptive batching, which takes lists of rows.

MODEL=sales.skops BATCH=100 python -m bentoml serve bench.servers.models.bentoml:Prediction
"""

import os

import bentoml

from bench.servers.models.pipeline import Pipeline
from bench.servers.prediction import Sales


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Prediction:
    """One service, in one process."""

    def __init__(self) -> None:
        self._pipeline = Pipeline()

    @bentoml.api(batchable=True, max_batch_size=int(os.environ["BATCH"]))
    def predict(self, rows: list[Sales]) -> list[int]:
        """Predict whatever waits."""
        return self._pipeline.predict(rows)
