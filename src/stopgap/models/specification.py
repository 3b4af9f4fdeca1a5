"""The specification: all that a release says of its model, as plain data."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from stopgap.errors import StopgapError

Bring = Literal["exact", "round", "clip"]
"""How an output is brought into the contract's type; `bringing` says what each does."""

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
HASH = re.compile(r"[0-9a-f]{64}")
GIBIBYTE = 1_073_741_824
MEMORY_MIN = GIBIBYTE // 64
DEADLINE_MAX = 60
LOAD_TIMEOUT_MAX = 600
BATCH_MAX = 4_096


class SpecificationInvalid(StopgapError):
    """The model's URI cannot be read, or one of its options is out of range."""

    def __init__(self, field: str, allowed: str, received: object) -> None:
        super().__init__(f"A model's {field} is {allowed}; it is {received!r:.200}.")


@dataclass(frozen=True, kw_only=True)
class Specification:
    """A model, and how it is run.

    Raises:
        SpecificationInvalid: a value is out of its range.
    """

    uri: str  # `python:module:attribute`, `onnx:file`, `sklearn:file.skops`, or a third party's
    bring: Bring = "exact"
    deadline: float = 1.0  # seconds for one prediction, its queueing included
    load_timeout: float = 60.0  # seconds from its process's start to its first answer
    memory: int = GIBIBYTE  # bytes that its process may hold, resident
    batch: int = 64  # rows in one call, at most
    python: str | None = None  # the Python that runs it; None: the server's own
    in_process: bool = False  # whether it runs in the worker itself, where nothing can end it
    artifact: str | None = None  # SHA-256 of its file in the artifact store; None: it has none
    file_hash: str | None = None  # SHA-256 of its Python file, as it was last let through

    def __post_init__(self) -> None:
        for name, allowed, kept in self._rules():
            if not kept:
                raise SpecificationInvalid(name, allowed, getattr(self, name))

    def _rules(self) -> tuple[tuple[str, str, bool], ...]:
        """List what must be so: field, what is allowed, whether it is."""
        scheme, separator, reference = self.uri.partition(":")
        named = bool(SCHEME.fullmatch(scheme) and separator and reference)
        artifact = self.artifact is None or bool(HASH.fullmatch(self.artifact))
        return (
            ("uri", "written as kind:reference, like onnx:model.onnx", named),
            ("bring", f"one of {', '.join(get_args(Bring))}", self.bring in get_args(Bring)),
            (
                "deadline",
                f"above 0 and at most {DEADLINE_MAX} seconds",
                0 < self.deadline <= DEADLINE_MAX,
            ),
            (
                "load_timeout",
                f"above 0 and at most {LOAD_TIMEOUT_MAX} seconds",
                0 < self.load_timeout <= LOAD_TIMEOUT_MAX,
            ),
            ("memory", f"from {MEMORY_MIN} bytes", self.memory >= MEMORY_MIN),
            ("batch", f"from 1 to {BATCH_MAX} rows", 1 <= self.batch <= BATCH_MAX),
            ("python", "the path of a program, or nothing", self.python != ""),
            ("in_process", "for the server's own Python", not (self.in_process and self.python)),
            ("artifact", "64 hexadecimal digits, or nothing", artifact),
        )

    @property
    def kind(self) -> str:
        """The kind of model: the URI's scheme."""
        return self.uri.partition(":")[0]

    @property
    def reference(self) -> str:
        """What the kind finds the model by: the URI without its scheme."""
        return self.uri.partition(":")[2]

    def document(self) -> dict[str, Any]:
        """Write it as plain JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Specification":
        """Read what `document` has written; what is missing has its default.

        Raises:
            SpecificationInvalid: a value is unknown, of another type, or out of its range.
        """
        known = {field.name: field.type for field in fields(cls)}
        for name, value in document.items():
            if name not in known:
                raise SpecificationInvalid("field", f"one of {', '.join(known)}", name)
            if not _fits(known[name], value):
                raise SpecificationInvalid(name, "of another type", value)
        if "uri" not in document:
            raise SpecificationInvalid("uri", "needed", None)
        return cls(**document)


def _fits(type_: Any, value: object) -> bool:
    """Tell whether a JSON value is of a field's type; True is no number."""
    if type_ is float:
        return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]  # a number by now
    if type_ is int or type_ is bool:
        return type(value) is type_
    return isinstance(value, str) or (value is None and type(None) in get_args(type_))
