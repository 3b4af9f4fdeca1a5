"""A segment: one file of a spool, written by one process and moved away by another.

It is a row of frames: the length of a record's bytes and their checksum (CRC-32), four bytes each,
the lowest first, then the bytes themselves. Who writes it holds its lock (`flock`), which the
system takes back at the writer's death, however sudden: who gets the lock knows that nothing more
will be written there.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

from stopgap.clock import Ids
from stopgap.journal.record import MARK, Record, RecordUnreadable, decode

SUFFIX = ".spool"
HEAD = struct.Struct("<II")
BODY_MAX = 256 * 1024 * 1024
"""Bytes of a record, at most. Four bytes of JSON, read as a length, are always more than this, so
nothing that a client can put into a record is ever taken for the beginning of another."""

BLOCK = 1024 * 1024

Damaged = Callable[[int, int], object]
"""Is told where bytes that should have been a record begin and end."""


def begin(folder: Path, ids: Ids) -> tuple[Path, int]:
    """Begin a segment, and hold its lock; return where it is, and its file descriptor.

    Its name sorts by time and is nobody else's, on no machine. A drainer that finds the new file
    before it is locked takes it for a dead writer's and deletes it; then there is another.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    while True:
        path = folder / f"{ids.new()}{SUFFIX}"
        descriptor = os.open(path, flags, 0o600)
        try:
            if claim(descriptor) and os.fstat(descriptor).st_nlink:
                return path, descriptor
        except OSError:  # a volume without locks, for one
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        os.close(descriptor)


def claim(descriptor: int) -> bool:
    """Take a file's lock, until the file is closed; false: another process holds it.

    The file has to be open for writing: on NFS no other can be locked.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def segments(folder: Path) -> list[Path]:
    """List a spool's segments, the oldest first; none where there is no folder yet."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def append(descriptor: int, body: bytes) -> int:
    """Append a record's bytes in one go; tell by how much the segment has grown.

    Raises:
        OSError: there is no room, or not for all of it.
    """
    framed = HEAD.pack(len(body), crc32(body)) + body
    if os.write(descriptor, framed) != len(framed):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(framed)


def read(
    path: Path, offset: int = 0, *, damaged: Damaged = lambda _start, _end: None
) -> Iterator[tuple[int, Record]]:
    """Read a segment's records from `offset` on, each with the offset behind it.

    Where no whole record stands, the rest is searched for one. If there is one, what lies before it
    is damage: `damaged` is told, and it is passed over. If there is none, this is the tail, which
    is being written at this moment, or was when its writer died: reading stops there, quietly. So
    does it at a last record that cannot be read, once `damaged` has been told.
    """
    with path.open("rb", buffering=0) as file:
        for start, body in _bodies(file.fileno(), offset, damaged):
            end = start + HEAD.size + len(body)
            try:
                yield end, decode(body)
            except RecordUnreadable:
                damaged(start, end)


def _bodies(file: int, offset: int, damaged: Damaged) -> Iterator[tuple[int, bytes]]:
    """Find the whole frames from `offset` on, each with where it starts."""
    block, place = b"", 0
    while True:
        body = _body(block, place)
        if body is None:  # the block is used up
            block, place = _fetch(file, offset), 0
            body = _body(block, 0)
        if body is None:
            found = _search(file, offset)
            if found is None:
                return
            if found > offset:  # else it was appended while we looked
                damaged(offset, found)
            block, offset = b"", found
            continue
        yield offset, body
        offset += HEAD.size + len(body)
        place += HEAD.size + len(body)


def _body(block: bytes, place: int) -> bytes | None:
    """Take the body of the frame that begins at `place`; nothing if there is no whole one."""
    start = place + HEAD.size
    if len(block) < start:
        return None
    length, checksum = HEAD.unpack_from(block, place)
    body = block[start : start + length]
    if 0 < length <= BODY_MAX and len(body) == length and crc32(body) == checksum:
        return body
    return None


def _fetch(file: int, offset: int) -> bytes:
    """Read a block that begins with a frame, and is large enough for it."""
    block = os.pread(file, BLOCK, offset)
    if len(block) == BLOCK:
        length, _ = HEAD.unpack_from(block)
        if BLOCK - HEAD.size < length <= BODY_MAX:
            return os.pread(file, HEAD.size + length, offset)
    return block


def _search(file: int, offset: int) -> int | None:
    """Find where the next whole record begins, behind bytes that are none."""
    # A power cut may have taken the segment's end, though all of it had been moved by then.
    rest = os.pread(file, max(0, os.fstat(file).st_size - offset), offset)
    mark = rest.find(MARK, HEAD.size)
    while mark >= 0:
        if _body(rest, mark - HEAD.size) is not None:
            return offset + mark - HEAD.size
        mark = rest.find(MARK, mark + 1)
    return None
