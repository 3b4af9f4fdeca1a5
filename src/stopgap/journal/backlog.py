"""The backlog: what of a spool is not in the database yet, told without asking the database."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stopgap.journal.segment import segments

PROGRESS = "drained.json"
DAMAGED = ".damaged"


class Backlog(NamedTuple):
    """What waits in a spool: segments that are not moved to their ends, and the bytes to move."""

    files: int
    bytes: int


def backlog(folder: Path) -> Backlog:
    """Tell how much waits in a spool; cheap, and possible while the database is away."""
    waiting = waiting_bytes(folder, sizes(folder))
    return Backlog(files=len(waiting), bytes=sum(waiting))


def sizes(folder: Path) -> dict[str, int]:
    """Tell the bytes of each segment."""
    found = {}
    for path in segments(folder):
        with suppress(OSError):  # it has just been drained, or is a link to nothing
            found[path.name] = path.stat().st_size
    return found


def waiting_bytes(folder: Path, ends: Mapping[str, int]) -> list[int]:
    """Tell the bytes up to some segments' ends that are not moved, segment by segment."""
    try:
        drained = json.loads((folder / PROGRESS).read_text())
    except (OSError, ValueError):
        drained = {}
    there = {path.name for path in segments(folder)}
    left = [end - drained.get(name, 0) for name, end in ends.items() if name in there]
    return [number for number in left if number > 0]


def keep_progress(folder: Path, offsets: Mapping[str, int]) -> None:
    """Keep how many bytes of each segment are in the database, for whoever only looks."""
    draft = folder / f".{PROGRESS}"
    with suppress(OSError):  # on a full disk the backlog looks larger than it is
        draft.write_text(json.dumps(offsets))
        draft.replace(folder / PROGRESS)


def unreadable(folder: Path) -> list[Path]:
    """List the segments that this user may not read or delete, or that are no files."""
    found = []
    for path in segments(folder):
        try:
            with path.open("r+b") as file:
                file.read(1)
        except FileNotFoundError:
            continue  # it has just been drained
        except OSError:
            found.append(path)
    return found


def damaged(folder: Path) -> list[Path]:
    """List the segments that were set aside; renamed to end in `.spool`, one is drained again."""
    return sorted(folder.glob(f"*{DAMAGED}"))
