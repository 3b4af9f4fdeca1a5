"""The kinds of model: what the scheme of a model's URI may be.

Ours are in the table; others come by an entry point of the group `stopgap.models`, whose name is
the scheme and whose object is a `ModelKind`. A library that is optional is imported when a model is
loaded that needs it, and in the one module that is named after it.
"""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path, PurePath
from typing import Any, Protocol

from stopgap.contracts.contract import Contract
from stopgap.models.failures import ModelUnloadable
from stopgap.models.model import Model

GROUP = "stopgap.models"
"""The entry points by which others add kinds."""


class ModelKind(Protocol):
    """A way to find and load models."""

    @property
    def name(self) -> str:
        """The scheme of its URIs."""

    @property
    def is_file(self) -> bool:
        """Whether its models are files, to be kept in the artifact store."""

    def load(self, reference: str, contract: Contract, path: Path | None) -> Model:
        """Load a model, ready to answer.

        Args:
            reference: The URI without its scheme.
            path: Where the model's file is; None for a kind that is no file.

        Raises:
            ModelUnloadable: it cannot be loaded.
        """


MEANT = {".py": "python", ".skops": "sklearn", ".onnx": "onnx"}
"""A file's suffix -> the kind that is probably meant, where somebody has named none."""


class ModelKindUnknown(ModelUnloadable):
    """The model's URI has a scheme that neither Stopgap nor an installed package knows."""

    def __init__(self, uri: str) -> None:
        name = uri.partition(":")[0]
        known = ", ".join(sorted({*OURS, *entry_points(group=GROUP).names}))
        meant = MEANT.get(PurePath(name).suffix)
        hint = f" Perhaps {meant}:{uri} is meant." if meant else ""
        super().__init__(
            f"A model of the kind {name!r} is not known here; known are {known}.{hint}"
        )


@dataclass(frozen=True, kw_only=True)
class LazyKind:
    """A kind of ours, whose module is imported when a model is loaded."""

    name: str
    is_file: bool
    module: str
    libraries: str = ""  # that it needs, as `pyproject.toml` has them

    def load(self, reference: str, contract: Contract, path: Path | None) -> Model:
        """Load a model.

        Raises:
            ModelUnloadable: it cannot be loaded, or a library is missing.
        """
        model: Model = self.imported().load(reference, contract, path)
        return model

    def imported(self) -> Any:
        """Import what loads its models.

        Raises:
            ModelUnloadable: a library is missing: how to get it is said.
        """
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            raise ModelUnloadable(
                f"A model of the kind {self.name} needs {error.name}, which is not installed: "
                f"{sys.executable} -m pip install {self.libraries}"
            ) from error


OURS: Mapping[str, ModelKind] = {
    kind.name: kind
    for kind in (
        LazyKind(name="python", is_file=False, module="stopgap.models.python"),
        LazyKind(
            name="onnx",
            is_file=True,
            module="stopgap.models.onnx",
            libraries="numpy onnxruntime",
        ),
        LazyKind(
            name="sklearn",
            is_file=True,
            module="stopgap.models.sklearn",
            libraries="numpy pandas scikit-learn skops",
        ),
    )
}


def find_kind(uri: str) -> ModelKind:
    """Find the kind that a model's URI names; ours cannot be replaced by another's.

    Raises:
        ModelKindUnknown: nobody here knows it.
        ModelUnloadable: the package that knows it cannot be imported.
    """
    name = uri.partition(":")[0]
    if name in OURS:
        return OURS[name]
    for entry in entry_points(group=GROUP, name=name):
        try:
            kind: ModelKind = entry.load()
        except Exception as error:  # another's code may raise anything
            raise ModelUnloadable(
                f"The kind {name} comes from {entry.value}, which cannot be imported: {error}."
            ) from error
        return kind
    raise ModelKindUnknown(uri)


def load_model(uri: str, contract: Contract, path: Path | None) -> Model:
    """Load the model that a URI names.

    Args:
        path: Where its file is, if it is one; None: where the URI says.

    Raises:
        ModelUnloadable: it cannot be loaded.
    """
    kind = find_kind(uri)
    reference = uri.partition(":")[2]
    if kind.is_file:
        path = path or Path(reference)
        if not path.is_file():
            raise ModelUnloadable(f"There is no file {path}.")
    return kind.load(reference, contract, path)
