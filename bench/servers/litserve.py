"""The prediction on LitServe.

python -m bench.servers.litserve PORT
"""

import sys

from litserve import LitAPI, LitServer

from bench.servers.prediction import Sales, draw


class Prediction(LitAPI):
    """One worker process, behind one API process."""

    def setup(self, device: str) -> None:
        """Load nothing: there is no model."""

    def decode_request(self, request: Sales) -> Sales:
        """Take the body, which LitServe has validated by the type hint."""
        return request

    def predict(self, x: Sales) -> int:
        """Predict."""
        return draw()

    def encode_response(self, output: int) -> dict[str, int]:
        """Answer."""
        return {"prediction": output}


if __name__ == "__main__":
    LitServer(Prediction(), accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
