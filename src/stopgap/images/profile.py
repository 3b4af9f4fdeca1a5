"""What LittleCMS gets to see of an upload's colour profile: what says what its colours mean.

LittleCMS has few bounds of its own: a few bytes at which many entries point (`mpet`, in tags such
as `D2B0`) have it compute for minutes and take gigabytes. So only those tags stay in the table that
a screen's picture needs, in types whose cost grows with their bytes alone (ICC.1:2022, 9.2 and 10).
"""

import struct
from collections.abc import Iterator, Mapping
from math import prod
from struct import unpack_from

PROFILE_MAX = 4_194_304
"""Bytes of a profile that is used; a screen's takes some kB, a printing press's up to 3 MB."""

TAGS_MAX = 100
"""Tags of a profile that LittleCMS reads."""

HEADER_BYTES = 128

TABLES, CURVES = frozenset((b"mft1", b"mft2", b"mAB ")), frozenset((b"curv", b"para"))

TYPES: Mapping[bytes, frozenset[bytes]] = {
    **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), TABLES),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), CURVES),
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), frozenset((b"XYZ ",))),
    b"chad": frozenset((b"sf32",)),
}
"""The tags that stay, and the types in which they do. The dearest takes LittleCMS 0.07 s."""


def needed(profile: bytes) -> bytes | None:
    """Leave in a profile what a picture's colours need; None: it is not one that is used.

    Nothing is moved: what is no longer in the table is never looked at.
    """
    if len(profile) > PROFILE_MAX:
        return None
    try:
        kept = list(_kept(profile))
    except struct.error:
        return None
    head = profile[:HEADER_BYTES] + len(kept).to_bytes(4) + b"".join(kept)
    return head + profile[len(head) :]


def _kept(profile: bytes) -> Iterator[bytes]:
    """Find the entries of the table that stay."""
    [count] = unpack_from(">I", profile, HEADER_BYTES)
    for number in range(min(count, TAGS_MAX)):
        at = HEADER_BYTES + 4 + 12 * number
        name, offset = unpack_from(">4sI", profile, at)
        kind = profile[offset : offset + 4]
        if kind in TYPES.get(name, ()) and (kind not in TABLES or _is_whole(profile, offset)):
            yield profile[at : at + 12]


def _is_whole(profile: bytes, at: int) -> bool:
    """Tell whether a table of colours can be as large as it claims: room is made for all of it."""
    kind, inputs, outputs, side = unpack_from(">4s4x3B", profile, at)
    sides = (side,) * inputs
    if kind == b"mAB ":
        [colours] = unpack_from(">I", profile, at + 24)
        sides = unpack_from(f"{inputs}B", profile, at + colours) if colours else ()
    claimed: int = prod(sides) * outputs
    return claimed <= len(profile)
