"""Shards: where each worker publishes its counts, and where the sum of all is read.

The shards in the folder are numbered, each with a lock that the system takes back when its holder
dies. A worker takes the first that is free, with the counts that lie there, and goes on from them.
So no count ever falls, not even over a restart, there are never more files than there were workers
at once, and nobody has to tidy up. A gauge counts only while its worker lives.

A shard has two files, which are written in turn, each over what it held two times ago: one of them
is whole at any time, and a disk that is full has room for what is there already.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

FILES = (".json", ".next.json")

ROOM = 16_384
"""A file has some multiple of so many bytes, so that what comes new has its room already."""

TRIES = 3
"""Looks at a shard of which a file is not whole: it may be written in this moment."""

Key = tuple[str, ...]
"""A counter's name, then the values of its labels."""

Counts = list[int]
"""How often; or, where durations are told apart: how often in each span, then all microseconds."""


@dataclass
class Published:
    """What a worker has written down, or several together."""

    counts: dict[Key, Counts] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)

    def add(self, more: Iterable[tuple[Key, Counts]]) -> None:
        """Add counts of the same things, and of others."""
        for key, counts in more:
            known = self.counts.get(key)
            summed = [a + b for a, b in zip(known, counts, strict=True)] if known else counts
            self.counts[key] = summed

    def add_gauges(self, more: Mapping[str, float]) -> None:
        """Add what gauges show elsewhere."""
        for gauge, value in more.items():
            self.gauges[gauge] = self.gauges.get(gauge, 0) + value


class Shard:
    """Where one worker publishes: the first shard in the folder that nobody else holds or owns.

    Raises:
        OSError: the folder cannot be written.

    Args:
        form: Of what is counted here; what has been written in another is not read.
    """

    def __init__(self, folder: Path, form: str) -> None:
        self._form = form
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in count():
            self.lock = folder / f"{number}.lock"
            if lock := _take(self.lock):
                self._lock = lock
                break
        self._turn, self._last = _read(self.lock, form)
        for path in _files(self.lock):
            if not path.exists():
                self._write(path, self._turn, self._last)

    def read(self) -> Published:
        """Tell what was written last, perhaps by the last holder."""
        return self._last

    def write(self, published: Published) -> None:
        """Write down what has changed, if anything has.

        Raises:
            OSError: it cannot be; what was there before can still be read.
        """
        if published == self._last:
            return
        turn = self._turn + 1
        self._write(_files(self.lock)[turn % len(FILES)], turn, published)
        self._turn, self._last = turn, published

    def leave(self) -> None:
        """Let the next worker have this shard."""
        self._lock.close()

    def _write(self, path: Path, turn: int, published: Published) -> None:
        """Write a file over what it held."""
        document = {
            "format": self._form,
            "turn": turn,
            "counts": list(published.counts.items()),
            "gauges": published.gauges,
        }
        content = json.dumps(document, separators=(",", ":")).encode()
        content = content.ljust(ROOM * (1 + len(content) // ROOM))
        with _open(path) as file:
            file.write(b"%08x\n%s" % (zlib.crc32(content), content))
            file.truncate()


def gather(folder: Path, form: str, but: Shard | None = None) -> Published:
    """Sum up what the workers have published: the counts of all, the gauges of those that live.

    What cannot be read, as after a run as another user, is left out; `stopgap doctor` tells of it.

    Args:
        form: Of what is counted here; what has been written in another is left out.
        but: One that is left out.
    """
    total = Published()
    for lock in folder.glob("*.lock"):
        if but is not None and lock == but.lock:
            continue
        with suppress(OSError):
            _, published = _read(lock, form)
            total.add(published.counts.items())
            if _is_held(lock):
                total.add_gauges(published.gauges)
    return total


def unusable(folder: Path) -> list[Path]:
    """Find what is no file that this user may read and write: no worker can publish there."""
    return [
        path
        for path in folder.glob("*")
        if not (path.is_file() and os.access(path, os.R_OK | os.W_OK))
    ]


def _take(lock: Path) -> IO[bytes] | None:
    """Take a shard; None: it is another worker's, or another user's.

    Raises:
        OSError: it is not there yet, and cannot be made; or the volume has no locks.
    """
    with ExitStack() as undone:
        try:
            file = undone.enter_context(_open(lock))
            for path in filter(Path.exists, _files(lock)):
                _open(path).close()
        except OSError:
            if not lock.exists():
                raise
            return None
        if not _claim(file, fcntl.LOCK_EX):
            return None
        undone.pop_all()
        return file


def _files(lock: Path) -> list[Path]:
    return [lock.with_suffix(each) for each in FILES]


def _read(lock: Path, form: str) -> tuple[int, Published]:
    """Read what was last written to a shard, and how many times something was."""
    for _ in range(TRIES):
        found = [_document(path, form) for path in _files(lock)]
        if None not in found:
            break
    whole = [each for each in found if each]
    latest = max(whole, key=lambda each: int(each["turn"]), default=None)
    if latest is None:
        return 0, Published()
    counts = {tuple(key): counts for key, counts in latest["counts"]}
    return latest["turn"], Published(counts, latest["gauges"])


def _document(path: Path, form: str) -> dict[str, Any] | None:
    """Read a file: empty, if it is not there; None, if it is not whole, or another version's."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return {}
    with suppress(ValueError):
        if int(checksum, 16) == zlib.crc32(content):
            document = json.loads(content)
            if isinstance(document, dict) and document.get("format") == form:
                return document
    return None


def _open(path: Path) -> IO[bytes]:
    """Open a file that is this user's alone, without emptying it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb")


def _is_held(lock: Path) -> bool:
    """Tell whether a shard's worker lives.

    A worker that looks for a shard in this very moment takes this one for held, and goes on to the
    next: no harm, both are summed.
    """
    with lock.open("rb") as file:
        return not _claim(file, fcntl.LOCK_SH)


def _claim(lock: IO[bytes], kind: int) -> bool:
    """Take a lock, until the file is closed; false: another holds it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
