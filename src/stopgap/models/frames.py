"""Frames: what goes between a worker and a model's process; bytes with a head of nine.

Bodies are JSON, or rows of JSON with a newline between them. Nothing that a model's process says is
ever unpickled, and nothing longer than `LENGTH_MAX` is taken from it.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

HEAD = struct.Struct(">IIB")
"""Length of the body, number of the call, sort."""

LENGTH_MAX = 4 * 1024 * 1024
"""Bytes of a body from a model's process: the largest batch has 4,096 outputs of 1,000 each."""

LOAD, LOADED, REFUSED, ASK, ASK_ONCE, ANSWER = range(1, 7)
"""The sorts of frame. A worker sends LOAD, then ASKs; the model LOADED or REFUSED, then ANSWERs."""


class FrameBroken(ValueError):
    """What arrived is no frame; nothing after it can be read."""


class Frame(NamedTuple):
    """One message."""

    number: int
    sort: int
    body: bytes


def pack(number: int, sort: int, body: bytes) -> bytes:
    """Write a frame."""
    return HEAD.pack(len(body), number, sort) + body


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read one frame, however long that takes; None at the stream's end."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length, number, sort = HEAD.unpack(head)
    body = stream.read(length)
    return Frame(number, sort, body) if len(body) == length else None


class Frames:
    """Puts frames together from pieces, as they arrive."""

    def __init__(self) -> None:
        self._pieces = b""

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take a piece, and give the frames that are whole with it.

        Raises:
            FrameBroken: one is longer than any may be.
        """
        pieces = self._pieces + piece if self._pieces else piece
        begin = 0
        while len(pieces) - begin >= HEAD.size:
            length, number, sort = HEAD.unpack_from(pieces, begin)
            if length > LENGTH_MAX:
                raise FrameBroken(f"A frame of {length} bytes.")
            end = begin + HEAD.size + length
            if len(pieces) < end:
                break
            yield Frame(number, sort, pieces[begin + HEAD.size : end])
            begin = end
        self._pieces = pieces[begin:]
