"""Objects: bytes under a name. What holds wherever they are, and what is said when that fails."""

import re
import secrets
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Protocol

from stopgap.errors import StartRefused, StopgapError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,120}")
"""What an object can be called, wherever it is kept. We make the names."""


PIECE_BYTES = 1_048_576
"""As much of an object that comes in pieces is held at once."""


class ObjectNotFound(StopgapError):
    """There is no object of this name."""

    def __init__(self) -> None:
        super().__init__("What was kept under this name is not there any more.")


class DiskFull(StopgapError):
    """The disk is full, or its quota used up; nothing of this object has been kept."""

    retry_after = 60.0

    def __init__(self) -> None:
        super().__init__("There is no room left to keep this; nothing of it was kept. Try later.")


class BucketUnusable(StartRefused):
    """Objects are to be kept in a bucket that cannot be spoken to as it was named."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Objects cannot be kept in this bucket: {reason}.")


class ObjectsUnavailable(StopgapError):
    """What is kept as objects can be neither read nor written now."""

    retry_after: float | None = 5.0
    for_strangers: ClassVar[str | None] = (
        "The server cannot reach what it keeps now; try again in a moment."
    )


class ObjectsUnwritable(ObjectsUnavailable):
    """The place for objects refuses to be read or written: somebody has to mend it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"{place} cannot keep objects ({reason}); "
            "name another place in STOPGAP_OBJECTS, or let this server read and write there."
        )


class ObjectsUnreachable(ObjectsUnavailable):
    """The place for objects does not answer; it may again, by itself."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place} does not answer ({reason}).")


class ObjectDamaged(ObjectsUnavailable):
    """What is kept is not what was put: it was cut short, or emptied, where it lies."""

    retry_after = None
    for_strangers = "What was kept here is damaged; who runs this server can restore it."

    def __init__(self, name: str) -> None:
        super().__init__(f"The object {name} is not whole any more; restore it from a backup.")


class ObjectStore(Protocol):
    """Where objects are kept."""

    def put(self, name: str, content: bytes | BinaryIO) -> None:
        """Keep an object, whole or not at all.

        Args:
            content: It, or a file from its beginning: one that is too large to be held.

        Raises:
            DiskFull: there is no room.
            ObjectsUnavailable: the place cannot be written.
        """

    def get(self, name: str) -> bytes:
        """Fetch an object.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnavailable: the place cannot be read.
        """

    def pieces(self, name: str) -> Iterator[bytes]:
        """Fetch an object piece by piece: one that is too large to be held.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnavailable: the place cannot be read.
        """

    def delete(self, name: str) -> None:
        """Delete an object, quietly if it is gone already.

        Raises:
            ObjectsUnavailable: the place cannot be written.
        """

    def names(self) -> Iterator[str]:
        """List the names of all objects, in no order.

        Raises:
            ObjectsUnavailable: the place cannot be read.
        """

    def age(self, name: str) -> float:
        """Tell how many seconds ago an object was put last.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnavailable: the place cannot be read.
        """

    def tidy(self) -> None:
        """Remove what killed writers have left behind.

        Raises:
            ObjectsUnavailable: the place cannot be written.
        """


def check(objects: ObjectStore) -> None:
    """See that objects can be kept, read, listed and deleted, by doing so with one.

    Raises:
        DiskFull: there is no room for one.
        ObjectsUnavailable: they cannot.
    """
    name = f"probe-{secrets.token_hex(16)}"
    objects.put(name, b"probe")
    try:
        objects.get(name)
        next(iter(objects.names()), None)
    finally:
        objects.delete(name)
