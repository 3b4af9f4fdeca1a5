"""The one base of every error that Stopgap raises on purpose, and the fault of a single field.

A kind of error is a subclass, named after its noun and defined beside it (`ImageNotFound` in
`images`). Its code and title are made from that name, its docstring is the page that explains it.
What a kind means over HTTP is said in `problems`, what it means to a shell in `cli`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

RECEIVED_MAX = 100
"""Characters of a refused value that are repeated to its sender."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One field at fault."""

    field: str
    message: str  # what is allowed
    received: str | float | bool | None = None  # None: nothing arrived, or it must not be repeated

    @staticmethod
    def shorten(value: str) -> str:
        """Cut `value` to what may be repeated to its sender."""
        return value if len(value) <= RECEIVED_MAX else value[:RECEIVED_MAX] + "…"


class StopgapError(Exception):
    """Anything that Stopgap refuses or cannot do, told in words for the one who asked."""

    code: ClassVar[str] = "error"  # in URLs and logs: `image-not-found`
    title: ClassVar[str] = "Error"  # for people: `Image not found`

    retry_after: float | None = None  # seconds until it makes sense to ask again
    for_strangers: ClassVar[str | None] = None  # instead of a detail that tells of our insides

    def __init_subclass__(cls) -> None:
        words = [word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", cls.__name__)]
        cls.code = "-".join(words)
        cls.title = " ".join(words).capitalize()

    def __init__(self, detail: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail  # what was asked, what arrived, what to do
        self.faults = tuple(faults)


class StartRefused(StopgapError):
    """The server, or a command, does not start as it was told to; nothing has been changed."""


class Overloaded(StopgapError):
    """The server has as many requests as it can answer in good time; others may ask soon again."""

    retry_after = 1.0


def kinds() -> Iterator[type[StopgapError]]:
    """Every kind of error that the imported modules define."""
    pending = [StopgapError]
    while pending:
        for kind in pending.pop().__subclasses__():
            yield kind
            pending.append(kind)
