"""Models written in Python: `python:package.module:attribute` or `python:file.py:attribute`.

The attribute is one of three things:

- an object with `predict(rows)`: asked with a list of the contract's validated inputs, it answers
  with as many outputs, in their order;
- a class: it is made without arguments first;
- any other callable: asked once for each row, with one validated input.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import import_place, raised
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelUnloadable

A_ROW = "(A function is asked one row at a time: `row.name`; for batches, an object has `predict`.)"

NO_FRAME = (
    "(It is asked with a list of rows; hand in an object whose `predict(rows)` asks it with "
    "`pandas.DataFrame([row.model_dump() for row in rows])`.)"
)

MISTAKEN = ("'tuple' object has no attribute", "object is not subscriptable", "has no len()")
"""What Python says where one row is taken for a list of them, or for a dictionary."""


class BatchModel:
    """An author's object, asked for many rows at a time."""

    def __init__(
        self,
        module: ModuleType,
        predict: Callable[[list[Any]], Sequence[Any]],
        *,
        is_fitted: bool = False,
    ) -> None:
        self.module = module
        self._predict = predict
        self._is_fitted = is_fitted  # a library's estimator, most likely, which knows no rows

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Hand over the validated inputs."""
        try:
            return self._predict([row.inputs for row in rows])
        except Exception as error:
            if self._is_fitted:
                error.add_note(NO_FRAME)
            raise


class RowModel:
    """An author's function, asked for one row at a time."""

    def __init__(self, module: ModuleType, predict: Callable[[Any], Any]) -> None:
        self.module = module
        self._predict = predict

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Ask once for each row."""
        try:
            return [self._predict(row.inputs) for row in rows]
        except (TypeError, AttributeError) as error:
            if any(words in str(error) for words in MISTAKEN):
                error.add_note(A_ROW)
            raise


def load(reference: str, _contract: Contract, _path: Path | None) -> BatchModel | RowModel:
    """Import an author's model.

    Raises:
        ModelUnloadable: it is not there, cannot be imported or made, or cannot be asked.
    """
    place, _, attribute = reference.rpartition(":")
    if not place or not attribute.isidentifier():
        raise ModelUnloadable(
            f"{reference!r} is not written as module:attribute or file.py:attribute."
        )
    doing = "imported"
    try:
        module = import_place(place)
        found = getattr(module, attribute, None)
        if isinstance(found, type):
            doing = "made"
            found = found()
    except (Exception, SystemExit) as error:  # an author's module may raise anything
        said = f"{raised(error, place)}{_beside(error, place, attribute)}"
        raise ModelUnloadable(f"{reference} cannot be {doing}: {said}") from error
    if found is None:
        raise ModelUnloadable(f"There is no {attribute} in {place}.")
    return _model(reference, module, found)


def _beside(error: BaseException, place: str, attribute: str) -> str:
    """Say how to hand in a model whose file imports what lies beside it, if it was that."""
    path = Path(place)
    if path.suffix != ".py" or not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    name = error.name.partition(".")[0]
    found = next((each for each in (f"{name}.py", name) if (path.parent / each).exists()), None)
    if not found:
        return ""
    return (
        f". {found} lies beside it, which a file cannot import: with both in the server's folder, "
        f"hand it in as python:{path.stem}:{attribute}"
    )


def _model(reference: str, module: ModuleType, found: Any) -> BatchModel | RowModel:
    predict: Any = getattr(found, "predict", None)
    is_batch = callable(predict)
    asked = predict if is_batch else found
    if not callable(asked):
        raise ModelUnloadable(
            f"{reference}, of type {type(found).__name__}, has no `predict` and cannot be called."
        )
    if inspect.iscoroutinefunction(asked):
        raise ModelUnloadable(f"{reference} is asynchronous; a model answers by returning.")
    if not is_batch:
        return RowModel(module, asked)
    return BatchModel(module, asked, is_fitted=callable(getattr(found, "fit", None)))
