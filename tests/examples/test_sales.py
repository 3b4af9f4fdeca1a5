"""The sales example: believable data, an honest error, one model in three forms."""

import itertools
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skops.io
from tests.examples import sales
from tests.examples.sales import Made

from stopgap.contracts.corners import corners
from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.months import NAMES
from stopgap.contracts.sampling import sample_inputs

TRUSTED = ["sklearn.tree._tree.Tree"]
FIELDS = [field.name for field in contract.fields]
LARGE = (2**24 - 1, 2**24 + 1)
"""About where single precision, which the trees in ONNX use, no longer has every integer."""


def inputs(number: int = 3_000) -> list[Sales]:
    """Draw inputs: the contract's corners, any that it allows, and such as happen."""
    source = random.Random(7)
    sellers, months, visitors = (corners(field.kind) for field in contract.fields)
    edges = itertools.product([*sellers, *LARGE], months, [*visitors, *LARGE])
    usual = [
        (source.randrange(40), source.choice(months), source.randrange(13_000))
        for _ in range(number)
    ]
    anything = (sample_inputs(contract, source) for _ in range(number))
    return [
        *(
            Sales.model_validate(dict(zip(FIELDS, values, strict=True)))
            for values in (*edges, *usual)
        ),
        *(each for each in anything if isinstance(each, Sales)),
    ]


def frame_of(rows: Sequence[Sales]) -> pd.DataFrame:
    """Write rows as scikit-learn wants them."""
    return pd.DataFrame([row.model_dump() for row in rows])


def answers_of_sklearn(folder: Path, rows: Sequence[Sales]) -> list[float]:
    """Ask the pipeline."""
    pipeline = skops.io.load(folder / "sales.skops", trusted=TRUSTED)
    return [float(value) for value in pipeline.predict(frame_of(rows))]


def answers_of_onnx(folder: Path, rows: Sequence[Sales]) -> list[float]:
    """Ask ONNX Runtime, each input a column under its own name."""
    session = onnxruntime.InferenceSession(folder / "sales.onnx")
    frame = frame_of(rows)
    types: dict[str, Any] = {"tensor(int64)": np.int64, "tensor(string)": object}
    feed = {
        each.name: frame[[each.name]].to_numpy(types[each.type]) for each in session.get_inputs()
    }
    return [float(value) for value in session.run(None, feed)[0][:, 0]]


def test_another_reader_gets_the_same(tmp_path: Path, made: Made) -> None:
    """Everybody who follows the tutorial has its months, its model and its numbers."""
    again = sales.copied(tmp_path)
    said = {step: sales.run(again, step) for step in ("make_data", "train")}
    assert said.items() <= made.said.items()
    assert (again / "sales.csv").read_bytes() == (made.folder / "sales.csv").read_bytes()
    rows = inputs(100)
    assert answers_of_sklearn(again, rows) == answers_of_sklearn(made.folder, rows)


def test_data_is_believable(made: Made) -> None:
    """Every month of the contract is there, sales keep the promise, and more of both sells more."""
    data = pd.read_csv(made.folder / "sales.csv")
    assert set(data["month"]) == set(NAMES)
    assert data["sales"].between(2_000, 5_000).all()
    assert not data["sales"].isin([2_000, 5_000]).any(), "nothing had to be cut off"
    numbers = data[["seller_available", "customer_visiting_website", "sales"]].corr()["sales"]
    assert (numbers > 0.3).all()


def test_the_error_is_measured_on_unseen_months(made: Made) -> None:
    """Training tells its error on a year that it has not seen, beside that of a simple guess."""
    words = r"unseen: off by (\d+) on average; the month's average: (\d+)"
    found = re.search(words, made.said["train"])
    assert found is not None, made.said
    error, guess = map(int, found.groups())
    noise = 70 * 0.8  # the mean deviation of make_data's noise: no model can do better
    assert noise < error < guess / 3


@pytest.mark.parametrize("asked", ["alone", "together"])
def test_onnx_says_exactly_what_sklearn_says(made: Made, asked: str) -> None:
    """Not a bit differs, from 0 to 2^53 - 1, so that no answer is rounded to another integer."""
    rows = inputs()
    expected = answers_of_sklearn(made.folder, rows)
    if asked == "together":
        assert answers_of_onnx(made.folder, rows) == expected
    else:
        some = range(0, len(rows), 500)
        assert [answers_of_onnx(made.folder, [rows[number]])[0] for number in some] == [
            expected[number] for number in some
        ]


def test_every_answer_keeps_the_promise(made: Made) -> None:
    """Rounded, each is an integer from 2000 to 5000; and sums are exact, in 64ths."""
    answers = answers_of_sklearn(made.folder, inputs())
    assert all(2_000 <= round(answer) <= 5_000 for answer in answers)
    assert all(float(answer * 64).is_integer() for answer in answers)
    assert len(set(answers)) > 1_000
