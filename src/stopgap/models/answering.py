"""Answering: one call of a model, from rows to plain JSON, with each failure in its row's place.

It runs where the model does: in its own process, or in the worker for one that is in-process. What
it writes is JSON, so that both give the same values: plain ones, and nothing that could run code.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from stopgap.contracts.row import Row
from stopgap.models.failures import ModelRaised
from stopgap.models.model import Model

REASON_MAX = 500
"""Characters that are kept of what a model says of its failure."""

RETRY_SHARE = 0.8
"""Of the deadline: rows of a batch that failed are asked one by one for so long, at most."""


class AnswersMiscounted(Exception):
    """The model gave more or fewer outputs than it was given rows."""


class Answering:
    """A model that can be asked by batches, and whose failures are its own.

    Args:
        monotonic: Tells the seconds, so that trying again has an end.
    """

    def __init__(self, model: Model, monotonic: Callable[[], float]) -> None:
        self._model = model
        self._monotonic = monotonic

    def once(self, rows: Sequence[Row]) -> bytes:
        """Ask in one call; if it fails, the failure stands in every row's place."""
        try:
            return _written(self._ask(rows))
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            return _written([_raised(error)] * len(rows))

    def each(self, rows: Sequence[Row], seconds: float) -> bytes:
        """Ask in one call; if it fails, ask row by row, so that a bad one fails no other.

        Args:
            seconds: From now on; rows that are left then get the failure of the first call.
        """
        end = self._monotonic() + seconds
        try:
            return _written(self._ask(rows))
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            first = _raised(error)
        if len(rows) == 1:
            return _written([first])
        return _written([self._alone(row) if self._monotonic() < end else first for row in rows])

    def _ask(self, rows: Sequence[Row]) -> list[Any]:
        outputs = _listed(self._model.predict(rows))
        if len(outputs) != len(rows):
            counts = f"it gave {len(outputs)} for {len(rows)}"
            raise AnswersMiscounted(f"It must give one output for each row; {counts}.")
        return outputs

    def _alone(self, row: Row) -> Any:
        try:
            (output,) = self._ask((row,))
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            return _raised(error)
        return output


def decoded(body: bytes, count: int) -> list[Any]:
    """Read what `Answering` has written, or what claims to be that.

    Returns:
        The outputs; a `ModelRaised` in the place of one that there is not.

    Raises:
        ValueError: it is no answer to `count` rows.
    """
    try:
        found = json.loads(body)
        if isinstance(found, dict):
            outputs = found["outputs"]
            for place, reason in found["raised"]:
                outputs[place] = ModelRaised(f"{reason:.{REASON_MAX}}")
        else:
            outputs = found
        if not isinstance(outputs, list) or len(outputs) != count:
            raise ValueError("another number of outputs")
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("no answer") from error
    return outputs


def _raised(error: Exception) -> ModelRaised:
    try:
        said = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # its words may raise as well
        said = type(error).__name__
    return ModelRaised(said[:REASON_MAX])


def _listed(outputs: Any) -> list[Any]:
    """Make a list of a model's outputs: a list, an array, a series, or what can be gone through."""
    found = outputs.tolist() if hasattr(outputs, "tolist") else outputs
    kind = type(outputs).__name__
    if kind == "DataFrame":  # going through it gives the names of its columns
        raise TypeError(
            "It answered with a DataFrame; return one column's values, or, for several fields, its "
            "`.to_dict('records')`."
        )
    if isinstance(found, str | bytes | dict | int | float | None):
        raise TypeError(f"It answered with one {kind}, not one output a row.")
    return list(found)


def _written(outputs: list[Any]) -> bytes:
    """Write outputs as JSON; NaN and infinity are written as they are, for the guard to see."""
    try:
        return json.dumps(outputs, default=_plain).encode()
    except Exception:  # noqa: BLE001  # one is a failure, or cannot be written: find out which
        raised: list[tuple[int, str]] = []
        parts = [_part(place, output, raised) for place, output in enumerate(outputs)]
        written = ",".join(parts)
        return f'{{"outputs":[{written}],"raised":{json.dumps(raised)}}}'.encode()


def _part(place: int, output: Any, raised: list[tuple[int, str]]) -> str:
    if not isinstance(output, ModelRaised):
        try:
            return json.dumps(output, default=_plain)
        except Exception as error:  # noqa: BLE001  # an odd object may raise when it is read
            output = _raised(error)
    raised.append((place, output.reason))
    return "null"


def _plain(value: Any) -> Any:
    """Make a plain value of a library's scalar or array, or of an output of the contract's type."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"It answered with a {type(value).__name__}, which is no plain value.")
