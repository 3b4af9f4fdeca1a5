"""Trains a scikit-learn pipeline: step 3 of docs/tutorial.md.

`python examples/sales/train.py` reads sales.csv, measures itself on a year that it has not
seen, and writes sales.skops: a file that holds numbers and names of classes and, unlike a pickle,
runs nothing when it is loaded.
"""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

HERE = Path(__file__).parent
INPUTS = ["seller_available", "month", "customer_visiting_website"]
"""The contract's inputs, in its order."""
STEP = 1 / 8
"""Every number that a tree adds is a multiple of this; see `settle`."""


def pipeline() -> Pipeline:
    """Make the model: a column for each month, counts as they are, then trees.

    Trees only ask whether a count is above a bound, so one beyond all that was ever seen, up to the
    contract's 2^53 - 1, is answered like the largest that was.
    """
    columns = [
        ("month", OneHotEncoder(), ["month"]),
        ("counts", "passthrough", ["seller_available", "customer_visiting_website"]),
    ]
    trees = GradientBoostingRegressor(
        n_estimators=150, learning_rate=STEP, subsample=0.7, random_state=0
    )
    return Pipeline([("columns", ColumnTransformer(columns)), ("trees", trees)])


def trained(data: pd.DataFrame) -> Pipeline:
    """Fit the model to some months."""
    model = pipeline().fit(data[INPUTS], data["sales"])
    settle(model.named_steps["trees"])
    return model


def settle(trees: GradientBoostingRegressor) -> None:
    """Round what each leaf says, so that a sum over all trees is exact.

    scikit-learn adds in double precision, ONNX in single. Eighths times a learning rate of an
    eighth are 64ths, and single precision adds 64ths exactly below 2^18. So both give the same
    number to the last bit, and no answer is rounded one way here and the other way there. The
    model loses nothing by it: a 64th of a sale.
    """
    trees.init_.constant_ = np.round(trees.init_.constant_ / STEP) * STEP
    for tree in trees.estimators_.ravel():
        tree.tree_.value[:] = np.round(tree.tree_.value / STEP) * STEP


def evaluate(data: pd.DataFrame) -> str:
    """Train on all years but the last, and compare with what the last one really sold.

    Beside it stands the error of the simplest guess: what that month sold on average before.
    """
    last = data["year"].max()
    known, new = data[data["year"] < last], data[data["year"] == last]
    error = mean_absolute_error(new["sales"], trained(known).predict(new[INPUTS]))
    guess = new["month"].map(known.groupby("month")["sales"].mean())
    guess_error = mean_absolute_error(new["sales"], guess)
    return f"{last}, unseen: off by {error:.0f} on average; the month's average: {guess_error:.0f}"


def main() -> None:
    """Write sales.skops, trained on every year."""
    data = pd.read_csv(HERE / "sales.csv")
    print(evaluate(data))
    skops.io.dump(trained(data), HERE / "sales.skops", compression=zipfile.ZIP_DEFLATED)
    print(f"sales.skops: trained on {len(data)} months")


if __name__ == "__main__":
    main()
