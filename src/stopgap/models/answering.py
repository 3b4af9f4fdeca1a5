"""Answering: one call of a model, from rows to plain JSON, with each failure in its row's place.

It runs where the model does: in its own process, or in the worker for one that is in-process. What
it writes is JSON, so that both give the same values: plain ones, and nothing that could run code.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import walk_tb
from typing import Any

from pydantic import BaseModel

from stopgap.contracts.row import Row
from stopgap.models.failures import ModelFailed, ModelLate, ModelRaised
from stopgap.models.model import Model

REASON_MAX = 500
"""Characters that are kept of what a model says of its failure."""

RETRY_SHARE = 0.8
"""Of the deadline: rows of a batch that failed are asked apart for so long, at most."""

NO_TIME = "It raised over several inputs together; there was no time to ask it for this one alone."


class AnswersMiscounted(Exception):
    """The model gave more or fewer outputs than it was given rows."""


class Answering:
    """A model that can be asked by batches, and whose failures are its own.

    Args:
        monotonic: Tells the seconds, so that trying again has an end.
    """

    def __init__(self, model: Model, monotonic: Callable[[], float]) -> None:
        self._model = model
        self._file = getattr(getattr(model, "module", None), "__file__", None)
        self._monotonic = monotonic

    def once(self, rows: Sequence[Row]) -> bytes:
        """Ask in one call; if it fails, the failure stands in every row's place."""
        try:
            return _written(self._ask(rows))
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            return _written([_raised(error, self._file)] * len(rows))

    def each(self, rows: Sequence[Row], seconds: float) -> bytes:
        """Ask in one call; if it fails, ask by halves, so that a bad row fails no other.

        One bad row among n costs some 2 * log2(n) calls. A failure is told of none but a row that
        was asked alone.

        Args:
            seconds: From now on; rows that were not asked until then are late.
        """
        return _written(self._apart(rows, self._monotonic() + seconds))

    def _ask(self, rows: Sequence[Row]) -> list[Any]:
        outputs = _listed(self._model.predict(rows))
        if len(outputs) != len(rows):
            counts = f"it gave {len(outputs)} for {len(rows)}"
            raise AnswersMiscounted(f"It must give one output for each row; {counts}.")
        return outputs

    def _apart(self, rows: Sequence[Row], end: float) -> list[Any]:
        """Answer rows; a `ModelFailed` in the place of an output that there is not."""
        if self._monotonic() >= end:
            return [ModelLate(NO_TIME)] * len(rows)
        try:
            return self._ask(rows)
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            if len(rows) == 1:
                return [_raised(error, self._file)]
        half = len(rows) // 2
        return [*self._apart(rows[:half], end), *self._apart(rows[half:], end)]


def decoded(body: bytes, count: int) -> list[Any]:
    """Read what `Answering` has written, or what claims to be that.

    Returns:
        The outputs; a `ModelRaised` or `ModelLate` in the place of one that there is not.

    Raises:
        ValueError: it is no answer to `count` rows.
    """
    try:
        found = json.loads(body)
        if isinstance(found, dict):
            outputs = found["outputs"]
            for place, reason in found["raised"]:
                outputs[place] = ModelRaised(f"{reason:.{REASON_MAX}}")
            for place in found["late"]:
                outputs[place] = ModelLate(NO_TIME)
        else:
            outputs = found
        if not isinstance(outputs, list) or len(outputs) != count:
            raise ValueError("another number of outputs")
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("no answer") from error
    return outputs


def _raised(error: Exception, file: str | None = None) -> ModelRaised:
    """Keep what a model has said of its failure, and in which line of its own file that was."""
    try:
        said = f"{type(error).__name__}: {error}"
        if notes := getattr(error, "__notes__", None):  # a hint is worth more than a table's values
            said = f"{said:.100} {' '.join(notes)}"
    except Exception:  # noqa: BLE001  # its words may raise as well
        said = type(error).__name__
    frames = walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == file]
    at = f" ({Path(file).name}:{lines[-1]})" if file and lines else ""
    return ModelRaised(said[: REASON_MAX - len(at)] + at)


def _listed(outputs: Any) -> list[Any]:
    """Make a list of a model's outputs: a list, an array, a series, or what can be gone through."""
    if hasattr(outputs, "tolist"):
        one_column = getattr(outputs, "shape", ())[1:] == (1,)
        found = (outputs.reshape(-1) if one_column else outputs).tolist()
    else:
        found = outputs
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
        failed: list[tuple[int, ModelFailed]] = []
        written = ",".join([_part(place, output, failed) for place, output in enumerate(outputs)])
        late = [place for place, failure in failed if isinstance(failure, ModelLate)]
        raised = [(place, failure.reason) for place, failure in failed if place not in late]
        told = f'"raised":{json.dumps(raised)},"late":{json.dumps(late)}'
        return f'{{"outputs":[{written}],{told}}}'.encode()


def _part(place: int, output: Any, failed: list[tuple[int, ModelFailed]]) -> str:
    if not isinstance(output, ModelFailed):
        try:
            return json.dumps(output, default=_plain)
        except Exception as error:  # noqa: BLE001  # an odd object may raise when it is read
            output = _raised(error)
    failed.append((place, output))
    return "null"


def _plain(value: Any) -> Any:
    """Make a plain value of a library's scalar or array, or of an output of the contract's type."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"It answered with a {type(value).__name__}, which is no plain value.")
