"""Setting a segment aside: what cannot be moved stays, under a second name or as a copy."""

import logging
import os
import shutil
from pathlib import Path

from stopgap.journal.backlog import DAMAGED
from stopgap.storage.files import flush

logger = logging.getLogger(__name__)

COPIED = f".copy{DAMAGED}"
"""Where a volume has no second names. Named back while a worker still writes to the segment that it
is of, a copy must not take that one's place."""


def set_aside(segment: Path, *place: int) -> None:
    """Give a segment its second name, so that it stays when the first one goes.

    Args:
        segment: Which may still be written to.
        place: The bytes that are damaged, where that is the reason.

    Raises:
        OSError: it is not there any more, or there is no room for a copy.
    """
    try:
        os.link(segment, segment.with_suffix(DAMAGED))
    except FileExistsError:
        return
    except OSError:  # not on every volume may a file have two
        _copy(segment, segment.with_suffix(COPIED))
    logger.error("damage in %s, bytes %s: it is kept as %s", segment, place, DAMAGED)


def _copy(segment: Path, copy: Path) -> None:
    """Copy a segment; where that was done before, only what has been appended since.

    Raises:
        OSError: it is not there any more, or there is no room.
    """
    with segment.open("rb") as source:
        copy.touch(mode=0o600)
        with copy.open("ab") as target:
            source.seek(target.tell())
            shutil.copyfileobj(source, target)
    flush(copy)
