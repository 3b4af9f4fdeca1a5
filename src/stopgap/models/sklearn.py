"""scikit-learn models, kept by skops: `sklearn:model.skops`.

They are fed a DataFrame whose columns are the contract's fields; choices and texts as texts. The
columns are those that the estimator was fitted with, in that order, if it knows them, else all in
the contract's order; one that was fitted on an array gets an array, and one that begins with a
vectorizer of texts the texts alone, since of a DataFrame it would read the columns' names. Where
the contract's output is an object, `predict` gives a column for each of its fields. A number for a
choice is its place in the contract's list, counted from 0; 1 and 0 are yes and no.

A pickle runs whatever its author put into it, so pickles (and joblib files, which are pickles) are
refused. skops makes nothing but the types that it is told to trust: scikit-learn's own, and numpy's
plain ones.
"""

import importlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import sklearn
import skops.io
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelUnloadable
from stopgap.models.reading import read, records

LABELS = "it is a classifier: its predict gives labels, not probabilities"

OWN = "sklearn."
"""The package whose classes are trusted, besides the types that skops knows to be harmless itself:
numpy's arrays, generators and ufuncs among them, but not its classes that open files."""

HARMLESS = frozenset({"numpy.dtype"})
"""What skops asks about though it only reads an empty array for it, which imputers bring along."""

PICKLED = (".pkl", ".pickle", ".joblib")


class SklearnModel:
    """An estimator or a pipeline.

    Args:
        note: What is to be known of how it was kept.

    Raises:
        ModelUnloadable: it takes texts, and it cannot be told which.
    """

    def __init__(self, estimator: Any, contract: Contract, note: str | None) -> None:
        notes = [note, LABELS if _gives_labels(estimator, contract.output_kind) else None]
        self.note = "; ".join(filter(None, notes)) or None
        self._estimator = estimator
        self._columns = _columns(estimator, [field.name for field in contract.fields])
        self._takes_array = _is_fitted_on_array(estimator)
        self._text = _text(contract.fields) if _takes_texts(estimator) else None
        self._kind = contract.output_kind

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row."""
        values = json.loads(b"[" + b",".join([row.json for row in rows]) + b"]")
        frame = pd.DataFrame({name: [value[name] for value in values] for name in self._columns})
        outputs = self._estimator.predict(self._as_fitted(frame))
        if isinstance(self._kind, kinds.Object):
            return _records(self._kind.fields, outputs, len(rows))
        flat = outputs.reshape(-1) if outputs.shape[1:] == (1,) else outputs
        return read(self._kind, flat.tolist())

    def _as_fitted(self, frame: pd.DataFrame) -> Any:
        """Make of the fields what the estimator was fitted on."""
        if self._text:
            return frame[self._text]
        return frame.to_numpy() if self._takes_array else frame


def load(reference: str, contract: Contract, path: Path) -> SklearnModel:
    """Load an estimator that nothing of which is anybody's own code.

    Raises:
        ModelUnloadable: it is no skops file, or holds a type that is not trusted.
    """
    if not zipfile.is_zipfile(path):
        raise ModelUnloadable(_refusal(reference, path))
    try:
        note = _note(path)
        asked = skops.io.get_untrusted_types(file=path)
        refused = [name for name in asked if name not in HARMLESS and not _is_own_class(name)]
        estimator = None if refused else skops.io.load(path, trusted=asked)
    except Exception as error:  # a broken file makes skops raise anything
        said = f"{type(error).__name__}: {error}"
        raise ModelUnloadable(f"{reference} cannot be loaded by skops: {said}") from error
    if refused:
        raise ModelUnloadable(
            f"{reference} holds {', '.join(refused)}: no class of this scikit-learn, so nobody "
            "knows what it does when it is loaded. A model with types or functions of yours can "
            f"be handed in as python:module:attribute.{f' It was {note}.' if note else ''}"
        )
    if not hasattr(estimator, "predict"):
        kind = type(estimator).__name__
        raise ModelUnloadable(f"{reference} holds a {kind}, which cannot predict.")
    return SklearnModel(estimator, contract, note)


def _note(path: Path) -> str | None:
    """Tell of another scikit-learn than this, with which an estimator in a file was kept."""
    kept = set()

    def look(members: dict[str, Any]) -> dict[str, Any]:
        if "_sklearn_version" in members:
            kept.add(json.loads(members["_sklearn_version"]["content"]))
        return members

    with zipfile.ZipFile(path) as file:
        json.loads(file.read("schema.json"), object_hook=look)
    others = ", ".join(sorted(kept - {sklearn.__version__}))
    if not others:
        return None
    return (
        f"kept with scikit-learn {others}, and this is {sklearn.__version__}, which may give other "
        "answers: keep it anew, or name a Python that has the same, by --python"
    )


def _columns(estimator: Any, fields: list[str]) -> list[str]:
    """Tell the columns that an estimator is fed: its own, if the contract has them all."""
    own = [str(name) for name in getattr(estimator, "feature_names_in_", fields)]
    return own if set(own) <= set(fields) else fields


def _is_fitted_on_array(estimator: Any) -> bool:
    """Tell whether it knows how many columns it has, and no part of it what they are called."""
    parts = [estimator, *(step for _, step in getattr(estimator, "steps", []))]
    named = any(hasattr(part, "feature_names_in_") for part in parts)
    return hasattr(estimator, "n_features_in_") and not named


def _records(fields: tuple[kinds.Field, ...], outputs: Any, count: int) -> list[dict[str, Any]]:
    """Make each row's object of the columns that `predict` gave."""
    columns = outputs.reshape(count, -1).T
    if len(columns) != len(fields):
        raise ValueError(f"an output of shape {outputs.shape} for {len(fields)} fields")
    return records(fields, columns.tolist())


def _takes_texts(part: Any) -> bool:
    """Tell whether what reads the inputs first is a vectorizer, which takes texts, not columns."""
    if isinstance(part, CountVectorizer | HashingVectorizer):
        return True
    inner = getattr(part, "estimator", None)  # of a search or a calibration
    named = getattr(part, "steps", getattr(part, "transformer_list", []))
    steps = (step for _, step in named if step not in (None, "passthrough"))
    first = next(steps, None) if inner is None else inner
    return first is not None and _takes_texts(first)


def _text(fields: Sequence[kinds.Field]) -> str:
    """Name the contract's text.

    Raises:
        ModelUnloadable: it has none, or several.
    """
    texts = [field.name for field in fields if isinstance(field.kind, kinds.Text)]
    if len(texts) == 1:
        return texts[0]
    name = texts[0] if texts else fields[0].name
    raise ModelUnloadable(
        f"It begins with a vectorizer, which takes texts, and the contract has {len(texts)} texts. "
        "Say in the pipeline which field it is to read: "
        f'ColumnTransformer([("{name}", vectorizer, "{name}")])'
    )


def _gives_labels(estimator: Any, kind: kinds.Kind) -> bool:
    """Tell whether labels would stand where the contract promises a number of any size."""
    promised = [field.kind for field in kind.fields] if isinstance(kind, kinds.Object) else [kind]
    has_numbers = any(isinstance(each, kinds.Number) for each in promised)
    return has_numbers and bool(is_classifier(estimator))


def _is_own_class(name: str) -> bool:
    """Tell whether a name is a class of scikit-learn, and not a function or another's."""
    module, _, attribute = name.rpartition(".")
    if not name.startswith(OWN):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type) and found.__module__.startswith(OWN)


def _refusal(reference: str, path: Path) -> str:
    with path.open("rb") as file:
        pickled = file.read(1) == b"\x80" or Path(reference).suffix in PICKLED
    if not pickled:
        return f"{reference} is no skops file."
    new = Path(reference).with_suffix(".skops").name
    code = f"import joblib, skops.io; skops.io.dump(joblib.load({reference!r}), {new!r})"
    return (
        f"{reference} is a pickle, which runs whatever its author put into it as soon as it is "
        f'read. If you trust it, convert it yourself: python -c "{code}"'
    )
