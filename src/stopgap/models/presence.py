"""Presence: what a model needs and is not here, as far as that shows without running it."""

import shutil
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from stopgap.models.failures import ModelUnloadable
from stopgap.models.kinds import LazyKind, find_kind
from stopgap.models.loaded import check_there, check_unchanged
from stopgap.models.specification import Specification


def check_present(specification: Specification) -> None:
    """See whether what runs a model is here, and its Python code, unchanged.

    Nothing of the model is run, so it may still turn out that it cannot be loaded. What another
    Python has installed is not looked at.

    Raises:
        ModelUnloadable: something is missing, or another than was verified.
    """
    check_paths(specification)
    if specification.python is None:
        _check_libraries(specification.uri)
    place = specification.reference.rpartition(":")[0]
    is_module = specification.kind == "python" and not place.endswith(".py")
    if is_module and specification.python is None:
        _check_module(place)
    check_unchanged(specification.uri, specification.file_hash)


def check_paths(specification: Specification) -> None:
    """See whether what a model names by its path is here: another Python, a Python file.

    That is the same from whatever folder one looks, and costs next to nothing.

    Raises:
        ModelUnloadable: it is not.
    """
    if specification.python is not None and shutil.which(specification.python) is None:
        raise ModelUnloadable(f"{specification.python} is no program here.")
    check_there(specification.uri)


def _check_libraries(uri: str) -> None:
    kind = find_kind(uri)
    if isinstance(kind, LazyKind):
        kind.imported()


def _check_module(name: str) -> None:
    package = name.partition(".")[0]
    here = [str(Path.cwd())]
    if not package or not (find_spec(package) or PathFinder.find_spec(package, here)):
        raise ModelUnloadable(f"There is no module {package!r}.")
