"""One trained pipeline, in each form in which it can be handed in."""

import random
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.months import NAMES
from stopgap.contracts.row import Row

PYTHON = """
from pathlib import Path

import pandas as pd
import skops.io

FILE = Path(__file__).with_name("sales.skops")
TRUSTED = skops.io.get_untrusted_types(file=FILE)
__version__ = "1.2.3"


class Model:
    def __init__(self):
        self.pipeline = skops.io.load(FILE, trusted=TRUSTED)

    def predict(self, rows):
        return self.pipeline.predict(pd.DataFrame([row.model_dump() for row in rows]))


def one(row):
    return Model().predict([row])[0]
"""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Where each form of the model lies."""

    pipeline: Pipeline
    skops: Path
    onnx: Path
    python: Path


def train(folder: Path) -> Trained:
    """Train a small pipeline on made-up sales, and keep it in each form."""
    source = np.random.default_rng(0)
    months = sorted(NAMES)
    data = pd.DataFrame(
        {
            "seller_available": source.integers(0, 30, 600),
            "month": [months[number] for number in source.integers(0, 12, 600)],
            "customer_visiting_website": source.integers(0, 3000, 600),
        }
    )
    sales = 2200 + 40 * data.seller_available + 0.4 * data.customer_visiting_website
    pipeline = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["month"]), remainder="passthrough"
        ),
        GradientBoostingRegressor(n_estimators=60, random_state=0),
    ).fit(data, sales)
    trained = Trained(
        pipeline=pipeline,
        skops=folder / "sales.skops",
        onnx=folder / "sales.onnx",
        python=folder / "sales_model.py",
    )
    skops.io.dump(pipeline, trained.skops)
    trained.python.write_text(PYTHON)
    trained.onnx.write_bytes(_as_onnx(pipeline))
    return trained


def _as_onnx(pipeline: Pipeline) -> bytes:
    types = [
        (field.name, (StringTensorType if field.name == "month" else FloatTensorType)([None, 1]))
        for field in contract.fields
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the converter's own making
        converted: Any = to_onnx(pipeline, initial_types=types, target_opset=21)
    content: bytes = converted.SerializeToString()
    return content


def rows(count: int) -> list[Row]:
    """Make rows such as the pipeline was trained on."""
    source = random.Random(1)
    months = sorted(NAMES)
    return [
        Row.of(
            Sales.model_validate(
                {
                    "seller_available": source.randrange(30),
                    "month": source.choice(months),
                    "customer_visiting_website": source.randrange(3000),
                }
            )
        )
        for _ in range(count)
    ]
