"""What was seen of a model when it was loaded; kept with its verification."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model that is ready, as it was found."""

    seconds: float  # from its start until it was warm
    kind: str  # `python`, `onnx`, `sklearn`, or a third party's
    module: str | None = None  # of a `python:` model
    version: str | None = None  # as that module calls itself
    file_hash: str | None = None  # SHA-256 of the module's file, or of the model's
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version; `python` too
