"""The prediction on mosec; batches of one are its default.

BATCH=1 python -m bench.servers.mosec --address 127.0.0.1 --port PORT
"""

import os

from mosec import Server, Worker
from mosec.errors import ValidationError
from pydantic import ValidationError as Invalid

from bench.servers.prediction import Sales, draw


class Prediction(Worker):
    """One worker process, behind mosec's own HTTP server in Rust."""

    def deserialize(self, data: bytes) -> Sales:
        """Read and validate the body."""
        try:
            return Sales.model_validate_json(data)
        except Invalid as error:
            raise ValidationError(str(error)) from error

    def forward(self, data: Sales | list[Sales]) -> int | list[int]:
        """Predict one, or whatever waits."""
        return [draw() for _ in data] if isinstance(data, list) else draw()


if __name__ == "__main__":
    server = Server()
    server.append_worker(Prediction, num=1, max_batch_size=int(os.environ["BATCH"]))
    server.run()
