"""The pipeline on LitServe, in batches.

MODEL=sales.skops BATCH=32 WAIT=0.002 python -m bench.servers.models.litserve PORT
"""

import os
import sys

from litserve import LitAPI, LitServer

from bench.servers.models.pipeline import Pipeline
from bench.servers.prediction import Sales


class Prediction(LitAPI):
    """One worker process, behind one API process."""

    def setup(self, device: str) -> None:
        """Load the model, in the worker."""
        self.pipeline = Pipeline()

    def decode_request(self, request: Sales) -> Sales:
        """Take the body, which LitServe has validated by the type hint."""
        return request

    def batch(self, inputs: list[Sales]) -> list[Sales]:
        """Leave the rows as they are: the pipeline makes its own frame of them."""
        return inputs

    def predict(self, x: list[Sales]) -> list[int]:
        """Predict whatever waits."""
        return self.pipeline.predict(x)

    def unbatch(self, output: list[int]) -> list[int]:
        """Give each request its own."""
        return output

    def encode_response(self, output: int) -> dict[str, int]:
        """Answer."""
        return {"prediction": output}


if __name__ == "__main__":
    api = Prediction(
        max_batch_size=int(os.environ["BATCH"]), batch_timeout=float(os.environ["WAIT"])
    )
    LitServer(api, accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
