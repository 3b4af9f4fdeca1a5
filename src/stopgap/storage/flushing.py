"""Flushing: what is on the disk is there after a power cut, too."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
