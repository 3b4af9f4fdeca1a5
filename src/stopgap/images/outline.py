"""What an upload claims to be, read from its outline before a single pixel is unpacked.

A few bytes can claim billions of pixels, thousands of frames or passes. So each format's outline is
walked here, in time that grows with the bytes alone, and held against the bounds; only then is the
decoder let near. The claims bind: what unpacks to another size later is refused as broken.
"""

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import unpack_from

from stopgap.images.image import ImageBroken, ImageUnrecognised, Kind

FRAME_PIXELS_MIN = 10_000
"""What a frame counts as at least: half a million frames of one pixel are half a minute's work."""

SCANS_MAX = 64
"""Passes of a progressive JPEG; encoders make about ten, and each costs a walk over all pixels."""

SEGMENTS_MAX = 4096
"""Segments of a JPEG; a colour profile takes 255 at the most. Each costs the decoder an object."""

CHUNKS_MAX = 131_072
"""Chunks of a PNG or WebP. Encoders make one for 4 kB and more; each costs this walk 1 to 6 µs."""

FILLER_MAX = 65_536
"""Bytes between a JPEG's segments or a GIF's blocks; the decoder goes through them one by one."""

BLOCKS_MAX = 524_288
"""Blocks and sub-blocks of a GIF; encoders fill these with 255 bytes. Each costs this walk 1 µs."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What an image claims to be."""

    kind: Kind
    content: bytes  # what the decoder gets to see
    width: int
    height: int
    frames: int = 1
    deep: bool = False  # PNG: 16 bits a channel
    lossless: bool = False  # WebP

    @property
    def cost(self) -> int:
        """Tell how many pixels it takes to unpack, all frames together."""
        return self.frames * max(self.width * self.height, FRAME_PIXELS_MIN * (self.frames > 1))


class _Damaged(Exception):
    """The outline does not hold together."""


def read_outline(content: bytes) -> Outline:
    """Walk an upload's outline.

    Raises:
        ImageUnrecognised: it is no JPEG, PNG, WebP or GIF.
        ImageBroken: it is one, but cut short or damaged.
    """
    kind = _kind(content)
    if kind is None:
        raise ImageUnrecognised
    try:
        outline = WALKS[kind](content)
    except (_Damaged, struct.error, IndexError) as error:
        raise ImageBroken(kind) from error
    if not outline.width or not outline.height or not outline.frames:
        raise ImageBroken(kind)
    return outline


def _kind(content: bytes) -> Kind | None:
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Kind.WEBP
    return None


JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")  # not: stuffing, fill, restarts
START_OF_IMAGE, START_OF_SCAN, END_OF_IMAGE = 0xD8, 0xDA, 0xD9
FIRST_SEGMENT = 0xC0
"""Markers below have no length to jump over, so a decoder reads what is behind them."""

LENGTH_BYTES = 2
"""A segment's length counts its own two bytes."""

STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _walk_jpeg(content: bytes) -> Outline:
    """Walk the segments (ITU T.81, annex B) up to the end of the first image.

    What follows is another picture, as phones append, or somebody's archive.
    """
    sizes = []
    at, segments, scans, filler = 2, 0, 0, 0
    while found := JPEG_MARKER.search(content, at):
        filler += 0 if scans else found.start() - at
        at = found.end()
        marker = found[1][0]
        if marker == END_OF_IMAGE:
            break
        if marker < FIRST_SEGMENT or marker == START_OF_IMAGE:
            raise _Damaged
        segments += 1
        scans += marker == START_OF_SCAN
        if marker in STARTS_OF_FRAME:
            sizes.append(unpack_from(">HH", content, at + 3))
        [length] = unpack_from(">H", content, at)
        at += length
        if (
            length < LENGTH_BYTES
            or at > len(content)
            or segments > SEGMENTS_MAX
            or scans > SCANS_MAX
            or filler > FILLER_MAX
        ):
            raise _Damaged
    if len(sizes) != 1 or not scans:
        raise _Damaged
    [(height, width)] = sizes
    return Outline(kind=Kind.JPEG, content=content, width=width, height=height)


PIXEL_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND")
)

ONCE = (b"acTL", b"iCCP")
"""Chunks of which there is one at most. Each iCCP unpacks to 1 MB, so a thousand are a GB."""


def _walk_png(content: bytes) -> Outline:
    """Walk the chunks (PNG, third edition, section 5), and keep those that say what is seen.

    So texts, which may unpack to anything, and whatever follows the end are never looked at.
    """
    kept, names, at, frames, chunks = [content[:8]], [b""], 8, 0, 0
    while names[-1] != b"IEND":
        chunks = _counted(chunks, CHUNKS_MAX)
        length, name = unpack_from(">I4s", content, at)
        end = at + 12 + length
        [checksum] = unpack_from(">I", content, end - 4)
        if name in PIXEL_CHUNKS:
            if zlib.crc32(memoryview(content)[at + 4 : end - 4]) != checksum:
                raise _Damaged
            kept.append(content[at:end])
            names.append(name)
        if name == b"acTL" and not frames:
            [frames] = unpack_from(">I", content, at + 8)
        at = end
    if names[1:2] != [b"IHDR"] or b"IDAT" not in names:
        raise _Damaged
    if max(map(names.count, ONCE)) > 1:
        raise _Damaged
    width, height, depth = unpack_from(">IIB", kept[1], 8)
    return Outline(
        kind=Kind.PNG,
        content=b"".join(kept),
        width=width,
        height=height,
        frames=frames + _stands_apart(names) if frames else 1,
        deep=depth == 16,  # noqa: PLR2004  # bits
    )


def _stands_apart(names: list[bytes]) -> bool:
    """Tell whether a PNG's plain picture is no frame of its animation: its own IDAT comes first."""
    return b"fcTL" not in names[: names.index(b"IDAT")]


GIF_BLOCK = re.compile(rb"[;,!]")
"""What begins a block: the trailer, an image, an extension; a decoder passes over all else."""


def _walk_gif(content: bytes) -> Outline:
    """Walk the blocks (GIF89a, section 12); a frame may reach beyond the screen it declares."""
    width, height, flags = unpack_from("<HHB", content, 6)
    at, frames, blocks, filler = 13 + _colour_table(flags), 0, 0, 0
    while (found := GIF_BLOCK.search(content, at)) and found[0] != b";":
        blocks = _counted(blocks, BLOCKS_MAX)
        filler += found.start() - at
        if filler > FILLER_MAX:
            raise _Damaged
        at = found.end() + 1  # behind the label of an extension, or the code size of an image
        if found[0] == b",":
            left, top, wide, high, flags = unpack_from("<4HB", content, found.end())
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            at += 9 + _colour_table(flags)
        while size := content[at]:
            blocks = _counted(blocks, BLOCKS_MAX)
            at += size + 1
        at += 1
    return Outline(kind=Kind.GIF, content=content, width=width, height=height, frames=frames)


def _colour_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _walk_webp(content: bytes) -> Outline:
    """Walk the chunks (RFC 9649, section 2)."""
    [size] = unpack_from("<I", content, 4)
    end = size + 8
    if end > len(content):
        raise _Damaged
    at, frames, lossless, chunks = 12, 0, False, 0
    while at + 8 <= end:
        chunks = _counted(chunks, CHUNKS_MAX)
        name, length = unpack_from("<4sI", content, at)
        frames += name == b"ANMF"
        lossless |= name == b"VP8L" or (name == b"ANMF" and content[at + 24 : at + 28] == b"VP8L")
        at += 8 + length + length % 2
    width, height = _webp_size(content)
    return Outline(
        kind=Kind.WEBP,
        content=content[:end],
        width=width,
        height=height,
        frames=max(frames, 1),
        lossless=lossless,
    )


def _webp_size(content: bytes) -> tuple[int, int]:
    """Read the size from the first chunk, which decides."""
    first = content[12:16]
    if first == b"VP8X":
        wide = int.from_bytes(content[24:27], "little")
        high = int.from_bytes(content[27:30], "little")
        return wide + 1, high + 1
    if first == b"VP8L":
        [bits] = unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if first == b"VP8 ":
        wide, high = unpack_from("<HH", content, 26)
        return wide & 0x3FFF, high & 0x3FFF
    raise _Damaged


def _counted(pieces: int, most: int) -> int:
    """Count one more, if there may be so many."""
    if pieces == most:
        raise _Damaged
    return pieces + 1


WALKS: Mapping[Kind, Callable[[bytes], Outline]] = {
    Kind.JPEG: _walk_jpeg,
    Kind.PNG: _walk_png,
    Kind.GIF: _walk_gif,
    Kind.WEBP: _walk_webp,
}
