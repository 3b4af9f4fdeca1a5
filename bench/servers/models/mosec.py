"""The pipeline on mosec, in batches.

MODEL=sales.skops BATCH=32 WAIT=10 python -m bench.servers.models.mosec --port PORT
"""

import os

from mosec import Server, Worker
from mosec.errors import ValidationError
from pydantic import ValidationError as Invalid

from bench.servers.models.pipeline import Pipeline
from bench.servers.prediction import Sales


class Prediction(Worker):
    """One worker process, behind mosec's own HTTP server in Rust."""

    def __init__(self) -> None:
        self._pipeline = Pipeline()

    def deserialize(self, data: bytes) -> Sales:
        """Read and validate the body."""
        try:
            return Sales.model_validate_json(data)
        except Invalid as error:
            raise ValidationError(str(error)) from error

    def forward(self, data: list[Sales]) -> list[int]:
        """Predict whatever waits."""
        return self._pipeline.predict(data)


if __name__ == "__main__":
    server = Server()
    batch, wait = int(os.environ["BATCH"]), int(os.environ["WAIT"])
    server.append_worker(Prediction, num=1, max_batch_size=batch, max_wait_time=wait)
    server.run()
