"""The sales example's model, through each kind of model that Stopgap can load."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.examples.sales import Made
from tests.examples.test_sales import inputs

from stopgap.contracts.madcompany import contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach
from stopgap.models.bringing import bring
from stopgap.models.slot import open_slot
from stopgap.models.specification import Specification

SOURCE = "stopgap.contracts.madcompany:contract"
BATCH = 64


def uris(made: Made) -> dict[str, str]:
    """Name the model in each way."""
    return {
        "sklearn": f"sklearn:{made.folder / 'sales.skops'}",
        "onnx": f"onnx:{made.folder / 'sales.onnx'}",
        "python": f"python:{made.folder / 'model.py'}:Sales",
    }


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a model says to the same rows, as it is."""

    together: list[Any]  # a batch at a time
    alone: list[Any]  # the first of them, one at a time


def ask(uri: str, rows: Sequence[Row]) -> Said:
    """Ask a model in a process of its own."""

    async def asked() -> Said:
        slot = open_slot(Specification(uri=uri), contract, contract_source=SOURCE)
        await slot.start()
        try:
            batches = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
            return Said(
                together=[each for batch in batches for each in await slot.answer_batch(batch)],
                alone=[await slot.answer(row) for row in rows[:BATCH]],
            )
        finally:
            await slot.stop()

    return asyncio.run(asked())


def test_every_kind_gives_the_same_answers(made: Made) -> None:
    """python:, onnx: and sklearn: say the same to the last bit, alone as in a batch."""
    rows = [Row.of(each) for each in inputs(1_000)]
    random.Random(11).shuffle(rows)
    said = {kind: ask(uri, rows) for kind, uri in uris(made).items()}
    assert said["onnx"] == said["sklearn"]
    assert said["python"] == said["sklearn"]
    assert said["sklearn"].alone == said["sklearn"].together[:BATCH]
    assert len(set(said["sklearn"].together)) > 100
    rounded = map(bring(contract.output_kind, "round"), said["sklearn"].together)
    assert [each for each in rounded if breach(contract.output_kind, each)] == []
