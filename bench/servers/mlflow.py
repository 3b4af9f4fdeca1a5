"""The prediction on MLflow: a model of one's own, saved and served by MLflow's scoring server.

python -m bench.servers.mlflow PORT
"""

import os
import sys
from pathlib import Path
from typing import Annotated, get_args

from mlflow.pyfunc import PythonModel, save_model
from pydantic import BaseModel, Field

from bench.servers.prediction import Count, Month, draw


class Sales(BaseModel):
    """What is asked with, in types that MLflow knows: `Literal` is none of them."""

    seller_available: Count
    month: Annotated[str, Field(pattern=f"^({'|'.join(get_args(Month))})$")]
    customer_visiting_website: Count


class Prediction(PythonModel):
    """MLflow itself validates what the type hint says."""

    def predict(self, model_input: list[Sales]) -> list[int]:
        """Predict."""
        return [draw() for _ in model_input]


def main(port: str) -> None:
    """Save the model, then become the server."""
    model = Path("model")
    save_model(model, python_model=Prediction(), pip_requirements=[])
    words = ["-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1"]
    address = ["--model-uri", str(model), "--host", "127.0.0.1", "--port", port]
    os.execv(sys.executable, [sys.executable, *words, *address])  # noqa: S606  # our own words


if __name__ == "__main__":
    main(sys.argv[1])
