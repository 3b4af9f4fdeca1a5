"""Writes the same model for ONNX Runtime: step 4 of docs/tutorial.md.

`python examples/sales/export.py` reads sales.skops and writes sales.onnx, which needs neither
scikit-learn nor pandas. Each of the contract's inputs stays an input of its own, under its own
name; the month stays a text.
"""

from pathlib import Path

import skops.io
from skl2onnx import to_onnx
from skl2onnx.common.data_types import Int64TensorType, StringTensorType

HERE = Path(__file__).parent
TRUSTED = ["sklearn.tree._tree.Tree"]
"""What the file holds besides the types that skops trusts unasked."""
COLUMN = [None, 1]  # any number of rows
INPUTS = [
    ("seller_available", Int64TensorType(COLUMN)),
    ("month", StringTensorType(COLUMN)),
    ("customer_visiting_website", Int64TensorType(COLUMN)),
]


def main() -> None:
    """Write sales.onnx."""
    model = skops.io.load(HERE / "sales.skops", trusted=TRUSTED)
    written = to_onnx(model, initial_types=INPUTS).SerializeToString()
    (HERE / "sales.onnx").write_bytes(written)
    print(f"sales.onnx: {len(written) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
