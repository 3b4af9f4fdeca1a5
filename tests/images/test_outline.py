"""Outlines: what an upload claims to be, and what is refused before a pixel is unpacked."""

import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures

from stopgap.images.image import ImageBroken, ImageUnrecognised, Kind
from stopgap.images.outline import (
    BLOCKS_MAX,
    CHUNKS_MAX,
    FRAME_PIXELS_MIN,
    SCANS_MAX,
    read_outline,
)


@pytest.mark.parametrize("kind", list(Kind))
def test_reads_kind_and_size(kind: Kind) -> None:
    """An outline tells the true kind and size of a still image, and that it is one frame."""
    outline = read_outline(pictures.each_kind()[kind])

    assert (outline.kind, outline.width, outline.height) == (kind, *pictures.SIZE)
    assert outline.cost == 48 * 32


@pytest.mark.parametrize("kind", [Kind.GIF, Kind.PNG, Kind.WEBP])
def test_counts_frames(kind: Kind) -> None:
    """An animation costs its frames times its pixels, and a small frame costs a fixed least."""
    outline = read_outline(pictures.animation(kind.name))

    assert outline.frames == 3
    assert outline.cost == 3 * FRAME_PIXELS_MIN


@pytest.mark.parametrize("name", pictures.foreign())
def test_refuses_what_is_no_image(name: str) -> None:
    """Whatever is none of the four kinds is unrecognised, however it is named."""
    with pytest.raises(ImageUnrecognised):
        read_outline(pictures.foreign()[name])


@pytest.mark.parametrize("lossless", [True, False])
def test_tells_lossless_webp(*, lossless: bool) -> None:
    """A WebP tells whether it is lossless, so that it stays so."""
    assert read_outline(pictures.webp(lossless=lossless)).lossless is lossless


def test_reads_pixels_of_a_bomb() -> None:
    """A file of a few bytes that claims billions of pixels is read without unpacking them."""
    assert read_outline(pictures.pixel_bomb()).cost == 2_500_000_000


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_counts_very_many_frames_quickly(kind: str) -> None:
    """A hundred thousand frames are counted without unpacking one."""
    begin = time.perf_counter()

    assert read_outline(pictures.frame_bomb(kind, 100_000)).frames >= 100_000
    assert time.perf_counter() - begin < 2


def test_refuses_endless_passes() -> None:
    """A JPEG may not ask for more passes over its pixels than any encoder makes."""
    with pytest.raises(ImageBroken):
        read_outline(pictures.scan_bomb(SCANS_MAX + 1))


@pytest.mark.parametrize("marker", [0x01, 0x02, 0xBF, 0xD8])
def test_refuses_what_decoders_read_differently(marker: int) -> None:
    """Passes cannot be hidden behind a marker that has no length, which a decoder knows."""
    content = pictures.scan_bomb(0)
    hidden = pictures.scan_bomb(1_000)[len(content) - 2 : -2]
    for piece in (hidden[at : at + 60_000] for at in range(0, len(hidden), 60_000)):
        head = bytes([0xFF, marker]) + (len(piece) + 2).to_bytes(2)
        content = content[:-2] + head + piece + content[-2:]
    with pytest.raises(ImageBroken):
        read_outline(content)


def test_refuses_a_segment_that_has_no_room_for_its_length() -> None:
    """A segment counts the two bytes of its length; less is damage."""
    content = pictures.jpeg()
    with pytest.raises(ImageBroken):
        read_outline(content[:2] + b"\xff\xfe\x00\x01" + content[2:])


def test_refuses_endless_segments() -> None:
    """A JPEG may not bring segments by the million, each of which costs the decoder memory."""
    content = pictures.jpeg()
    with pytest.raises(ImageBroken):
        read_outline(content[:2] + b"\xff\xfe\x00\x02" * 100_000 + content[2:])


def png_with_profiles(number: int) -> bytes:
    """Make a PNG that brings its colour profile more than once, each a megabyte when unpacked."""
    body = b"p\0\0" + zlib.compress(bytes(1_000_000))
    profile = len(body).to_bytes(4) + b"iCCP" + body + zlib.crc32(b"iCCP" + body).to_bytes(4)
    plain = pictures.png()
    return plain[:33] + profile * number + plain[33:]


def test_refuses_profiles_beside_the_one() -> None:
    """Each is unpacked by the decoder, so that nine megabytes of them take it twenty seconds."""
    assert read_outline(png_with_profiles(1)).kind is Kind.PNG
    with pytest.raises(ImageBroken):
        read_outline(png_with_profiles(2))


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\0", b"\xff\xd0"])
def test_refuses_endless_filler_in_a_jpeg(filler: bytes) -> None:
    """A decoder goes through it byte by byte; a little of it may be."""
    whole = pictures.jpeg()
    assert read_outline(whole[:2] + filler * 1_000 + whole[2:]).kind is Kind.JPEG
    with pytest.raises(ImageBroken):
        read_outline(whole[:2] + filler * 100_000 + whole[2:])


def test_refuses_endless_filler_in_a_gif() -> None:
    """The same between the blocks of a GIF, in however many pieces."""
    whole = pictures.gif()
    at = 13 + (3 << (whole[10] & 7) + 1 if whole[10] & 0x80 else 0)
    for filler, fine in (bytes(1_000), True), (bytes(100_000), False), (GIF_PIECES, False):
        content = whole[:at] + filler + whole[at:]
        if fine:
            assert read_outline(content).kind is Kind.GIF
        else:
            with pytest.raises(ImageBroken):
                read_outline(content)


GIF_PIECES = (bytes(1_000) + b"!\xfe\0") * 100

EMPTY_GIF = b"GIF89a\1\0\1\0\0\0\0"
EMPTY_CHUNK = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + b"\xff" * 10_000_000 + b"\0",
        EMPTY_GIF + b"\0" * 10_000_000,
        EMPTY_GIF + b"!\xfe" + b"\1\0\1\1" * 2_500_000,
        EMPTY_GIF + b"!\xfe" + b"\1\1" * 5_000_000,
        EMPTY_GIF + b"!\xfe\0" * 3_000_000,
        pictures.png()[:-12] + EMPTY_CHUNK * 830_000 + pictures.png()[-12:],
        b"RIFF" + (10_000_004).to_bytes(4, "little") + b"WEBP" + b"ODD \0\0\0\0" * 1_250_000,
    ],
    ids=["fill", "no block", "short blocks", "sub-blocks", "blocks", "PNG", "WebP"],
)
def test_does_not_look_for_ever(content: bytes) -> None:
    """Ten megabytes of pieces as small as can be are walked in time, or not to the end."""
    begin = time.perf_counter()

    with pytest.raises(ImageBroken):
        read_outline(content)
    assert time.perf_counter() - begin < 2


@pytest.mark.parametrize(
    ("start", "piece", "most", "end"),
    [
        (EMPTY_GIF + b",\0\0\0\0\1\0\1\0\0\2\0!\xfe", b"\1\1", BLOCKS_MAX - 2, b"\0;"),
        (pictures.png()[:-12], EMPTY_CHUNK, CHUNKS_MAX - 3, pictures.png()[-12:]),
    ],
)
def test_so_many_pieces_may_be(start: bytes, piece: bytes, most: int, end: bytes) -> None:
    """As many pieces as may be are walked, and no more."""
    assert read_outline(start + piece * most + end).frames == 1
    with pytest.raises(ImageBroken):
        read_outline(start + piece * (most + 1) + end)


def test_notices_damage_in_a_png() -> None:
    """A PNG with a wrong checksum is broken, though its pixels could be unpacked."""
    content = bytearray(pictures.png())
    content[content.index(b"IDAT") + 10] ^= 1
    with pytest.raises(ImageBroken):
        read_outline(bytes(content))


@pytest.mark.parametrize("kind", list(Kind))
@given(share=st.floats(0.05, 0.85))
def test_notices_a_cut(kind: Kind, share: float) -> None:
    """An image that is cut short is broken, wherever it was cut, or not even recognised."""
    content = pictures.with_metadata(kind)
    whole = content[: content.index(b"PK\x03\x04")]
    cut = whole[: int(len(whole) * share)]
    if kind is Kind.JPEG and whole.index(b"\xff\xda") < len(cut):
        return  # its outline is whole; unpacking it notices
    with pytest.raises((ImageBroken, ImageUnrecognised)):
        read_outline(cut)


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"]), st.binary())
def test_never_fails_otherwise(start: bytes, rest: bytes) -> None:
    """No bytes make anything but an outline or one of the two refusals."""
    try:
        outline = read_outline(start + rest)
    except (ImageBroken, ImageUnrecognised):
        return
    assert outline.cost > 0


def test_bounds_the_chunks_of_a_webp() -> None:
    """A WebP of more chunks than any encoder makes is refused before they are all walked."""
    image = pictures.webp()
    for more, refused in ((CHUNKS_MAX - 1, False), (CHUNKS_MAX, True)):
        content = image[12:] + b"XXXX\0\0\0\0" * more
        whole = b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content
        if refused:
            with pytest.raises(ImageBroken):
                read_outline(whole)
        else:
            assert read_outline(whole).kind is Kind.WEBP
