"""Profiles: what colours mean is kept, and nothing that costs more than its bytes."""

import random
import struct
import time
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms
from tests import pictures

from stopgap.images.decoding import Decoder
from stopgap.images.profile import PROFILE_MAX, needed


def profile(space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write a profile down; tags of the same content share it."""
    offsets: dict[bytes, int] = {}
    start, body = 132 + 12 * len(tags), b""
    for content in tags.values():
        if content not in offsets:
            offsets[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
    head = bytearray(128)
    struct.pack_into(">I4xI4s4s4s", head, 0, start + len(body), 0x4300000, b"mntr", space, pcs)
    struct.pack_into(">4s28x3I", head, 36, b"acsp", 0xF6D6, 0x10000, 0xD32D)
    table = [name + struct.pack(">II", offsets[it], len(it)) for name, it in tags.items()]
    return bytes(head) + len(tags).to_bytes(4) + b"".join(table) + body


def numbers(*values: float) -> bytes:
    """Write numbers as profiles have them."""
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def display(curve: bytes, *colours: tuple[float, float, float]) -> bytes:
    """Make a screen's profile, with texts and other things that no picture needs."""
    chad = numbers(1.0479, 0.0229, -0.0502, 0.0296, 0.9904, -0.0171, -0.0092, 0.0151, 0.7517)
    tags = {b"desc": b"text\0\0\0\0A screen\0", b"cprt": b"text\0\0\0\0Nobody\0"}
    for name, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=True):
        tags[name] = b"XYZ \0\0\0\0" + numbers(*colour)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile(b"RGB ", b"XYZ ", tags | {b"chad": b"sf32\0\0\0\0" + chad})


def table(inputs: int, outputs: int, side: int, colours: int) -> bytes:
    """Make a table of colours that claims one size, and may have another."""
    head = b"mft1\0\0\0\0" + bytes((inputs, outputs, side, 0)) + numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    straight = bytes(range(256))
    return head + straight * inputs + random.Random(7).randbytes(colours) + straight * outputs


def press() -> bytes:
    """Make a printing press's profile: tables to and from the colours that are seen."""
    seen, printed = table(4, 3, 5, 5**4 * 3), table(3, 4, 5, 5**3 * 4)
    both = dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), seen)
    return profile(b"CMYK", b"Lab ", both | dict.fromkeys((b"B2A0", b"B2A1"), printed))


def bomb(segments: int = 2_000, elements: int = 12) -> bytes:
    """Make a profile whose every step in every channel is the same few bytes, again and again."""
    breaks = struct.pack(f">{segments - 1}f", *range(2, segments + 1))
    segment = b"parf\0\0\0\0\0\0\0\0" + struct.pack(">4f", 1, 1, 0, 0)
    curve = b"curf\0\0\0\0" + struct.pack(">HH", segments, 0) + breaks + segment * segments
    element = b"cvst\0\0\0\0\0\3\0\3" + struct.pack(">II", 36, len(curve)) * 3 + curve
    start = 16 + 8 * elements
    steps = struct.pack(">II", start, len(element)) * elements + element
    content = b"mpet\0\0\0\0\0\3\0\3" + elements.to_bytes(4) + steps
    return profile(b"RGB ", b"XYZ ", {b"D2B0": content, b"D2B1": content})


PROFILES = {
    "sRGB": ("RGB", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    "Display P3": (
        "RGB",
        display(
            b"para\0\0\0\0\0\3\0\0" + numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
            (0.5151, 0.2412, -0.0011),
            (0.292, 0.6922, 0.0419),
            (0.1571, 0.0666, 0.7841),
        ),
    ),
    "Adobe RGB": (
        "RGB",
        display(
            b"curv\0\0\0\0\0\0\0\1\2\x33",
            (0.6097, 0.3111, 0.0195),
            (0.2053, 0.6257, 0.0609),
            (0.1492, 0.0632, 0.7446),
        ),
    ),
    "grey": ("L", profile(b"GRAY", b"XYZ ", {b"kTRC": b"curv\0\0\0\0\0\0\0\1\1\xcd"})),
    "CMYK": ("CMYK", press()),
}


@pytest.mark.parametrize("name", PROFILES)
def test_keeps_what_colours_mean(name: str) -> None:
    """Each colour becomes the very same one as by the whole profile."""
    mode, whole = PROFILES[name]
    kept = needed(whole)
    assert kept is not None
    assert kept[128:132] != whole[128:132] or name == "grey"  # all others had more than that

    size = 64 * 64 * len(Pillow.new(mode, (1, 1)).getbands())
    colours = Pillow.frombytes(mode, (64, 64), random.Random(5).randbytes(size))
    srgb = ImageCms.createProfile("sRGB")
    seen = []
    for each in (whole, kept):
        meant = ImageCms.ImageCmsProfile(BytesIO(each))
        turn = ImageCms.buildTransform(meant, srgb, mode, "RGB")
        seen.append(turn.apply(colours).tobytes())
    assert seen[0] == seen[1]
    assert (seen[0] == colours.tobytes()) is (name == "sRGB")


def test_is_not_held_up() -> None:
    """A profile that has LittleCMS compute for many seconds is drawn at once, without it."""
    content = pictures.png(icc_profile=bomb())
    began = time.monotonic()
    picture = Decoder(bytes_max=1_000_000, pixels_max=1_000_000).decode(content)

    assert time.monotonic() - began < 2
    assert pictures.unpacked(picture.content).tobytes() == pictures.quarters().tobytes()


@pytest.mark.parametrize(
    "content",
    [
        table(4, 3, 90, 3),
        table(255, 255, 255, 3),
        b"mAB \0\0\0\0\4\3\0\0" + struct.pack(">5I", 0, 0, 0, 32, 0) + bytes([90]) * 16 + b"\2" * 9,
        b"mpet\0\0\0\0\0\4\0\3\0\0\0\1",
    ],
)
def test_leaves_no_room_for_claims(content: bytes) -> None:
    """Tables that claim to be larger than all of the profile go, and types that no tag has."""
    kept = needed(profile(b"CMYK", b"Lab ", {b"A2B0": content, b"A2B1": table(4, 3, 2, 48)}))

    assert kept is not None
    assert kept[128:136] == b"\0\0\0\1A2B1"


def test_passes_over_what_is_too_large() -> None:
    """A profile that is larger than any that is used is not read."""
    _, whole = PROFILES["CMYK"]
    assert needed(whole.ljust(PROFILE_MAX)) is not None
    assert needed(whole.ljust(PROFILE_MAX + 1)) is None


@given(st.binary(max_size=200), st.sampled_from(sorted(PROFILES)), st.integers(0, 800))
def test_reads_anything(some: bytes, name: str, at: int) -> None:
    """Whatever bytes there are, they are passed over or kept at their length."""
    _, whole = PROFILES[name]
    for content in (some, bytes(128) + some, whole[:at] + some + whole[at + len(some) :]):
        kept = needed(content)
        assert kept is None or len(kept) == len(content)
