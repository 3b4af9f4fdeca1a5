"""What was seen of a model when it was loaded; kept with its verification."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from stopgap.contracts.loading import plain_name
from stopgap.models.failures import ModelUnloadable
from stopgap.models.model import Model


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model that is ready, as it was found."""

    seconds: float  # from its start until it was warm
    kind: str  # `python`, `onnx`, `sklearn`, or a third party's
    module: str | None = None  # of a `python:` model
    version: str | None = None  # as that module calls itself
    file_hash: str | None = None  # SHA-256 of the module's file, or of the model's
    note: str | None = None  # what is to be known of it, though it loads
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version; `python` too

    @classmethod
    def of(cls, found: Mapping[str, Any], seconds: float) -> "Loaded":
        """Read what `found_of` has found, perhaps in a process that cannot be believed.

        Raises:
            ValueError: it is nothing of that kind.
        """
        try:
            packages = {f"{name:.100}": f"{it:.100}" for name, it in found["packages"].items()}
            texts = {name: found[name] for name in ("module", "version", "file_hash", "note")}
            return cls(
                seconds=seconds,
                kind=f"{found['kind']:.100}",
                packages=packages,
                **{name: None if text is None else f"{text:.300}" for name, text in texts.items()},
            )
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("nothing that was found of a model") from error


def found_of(model: Model, uri: str, path: Path | None) -> dict[str, Any]:
    """Look at a model that has just been loaded in this process; plain JSON values."""
    module, note = getattr(model, "module", None), getattr(model, "note", None)
    file = path or getattr(module, "__file__", None)
    return {
        "kind": uri.partition(":")[0],
        "module": plain_name(module) if isinstance(module, ModuleType) else None,
        "version": _version(module),
        "file_hash": file_hash(Path(file)) if file else None,
        "note": note if isinstance(note, str) else None,
        "packages": _packages(),
    }


def is_changed(uri: str, verified: str | None) -> bool:
    """Tell whether the Python file that a URI names is another than the one of this SHA-256.

    What is found by a module's name, or is not there at all, is told when it is loaded.
    """
    file = _python_file(uri)
    if file is None or verified is None:
        return False
    return file_hash(file) not in {None, verified}


def check_there(uri: str) -> None:
    """See that the Python file that a URI names is there; a module is not looked for.

    Raises:
        ModelUnloadable: it is not.
    """
    if (file := _python_file(uri)) and not file.is_file():
        raise ModelUnloadable(f"There is no file {file}.")


def _python_file(uri: str) -> Path | None:
    kind, _, reference = uri.partition(":")
    file = Path(reference.rpartition(":")[0])
    return file if kind == "python" and file.suffix == ".py" else None


def check_unchanged(uri: str, verified: str | None, loaded: str | None = None) -> None:
    """Hold the Python file that a URI names against the one of this SHA-256, if there is one.

    Args:
        loaded: The SHA-256 of what was loaded, which may have been found by a module's name.

    Raises:
        ModelUnloadable: it is another.
    """
    if is_changed(uri, verified) or (verified and loaded not in {None, verified}):
        raise ModelUnloadable(
            "Its file has been changed since it was verified: put the old one back, or verify the "
            "release again."
        )


def _version(module: object) -> str | None:
    version = getattr(module, "__dict__", {}).get("__version__")  # some warn when it is asked for
    return version if isinstance(version, str) else None


def file_hash(path: Path) -> str | None:
    """Tell the SHA-256 of a file, in hexadecimal; None: it cannot be read."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None


def _packages() -> dict[str, str]:
    """List the libraries in use that tell their version, by their modules' names."""
    found = {
        name: version
        for name, module in sys.modules.copy().items()
        if "." not in name
        and not name.startswith("_")
        and name not in sys.stdlib_module_names
        and (version := _version(module))
    }
    return {"python": platform.python_version(), **dict(sorted(found.items()))}
