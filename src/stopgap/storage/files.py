"""Files: written whole or not at all, and there after a power cut, too."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

DRAFT_SECONDS = 3600
"""A draft that nobody has written to for so long is a killed writer's."""


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file for this user alone, whole or not at all; of several at once any may win.

    Args:
        pieces: What it is to hold; nothing is written if getting them fails.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            file.writelines(pieces)
        flush(draft)  # else a power cut may leave the name, and nothing in it
        draft.replace(path)
    finally:
        with suppress(OSError):  # a disk that takes nothing lets nothing go either
            draft.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
