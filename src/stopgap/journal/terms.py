"""Terms: what a record can be found by, as numbers."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from zlib import crc32

from stopgap.journal.record import Record, read_compact

TIE_BITS = 11
"""Bits that tell records of one microsecond apart; with them, positions last until 2112."""

POSITION_END = 2**63 - 1
"""The last number that a column of positions takes; no record's is as great."""

WORD_BITS = 53
"""Bits of a text's number, all of which a double keeps: among ten million texts, the chance that
any two share one is 1 in 180."""


def position_of(record: Record) -> int:
    """Tell where a record belongs: its moment, then bits that its id decides."""
    return record.at << TIE_BITS | crc32(record.id.encode()) & (1 << TIE_BITS) - 1


def moment_of(position: int) -> int:
    """Tell the moment of a position, in microseconds."""
    return position >> TIE_BITS


def members(text: bytes) -> Mapping[str, object]:
    """Read the members of a JSON object; any other value is the one member without a name.

    What is no JSON has no members: it stays on record, and can be found by nothing in it.
    """
    try:
        value = read_compact(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"": value}


def number_of(value: object) -> float | None:
    """Tell the number that a value is found by; None if it is found by none."""
    if isinstance(value, str):
        return word_number(value)
    if not isinstance(value, (int, float)):  # half the time of `int | float`
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


@lru_cache(4096)
def word_number(word: str) -> float:
    """Tell the number of a text: equal for equal texts, otherwise as good as random."""
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return float(int.from_bytes(digest) >> 64 - WORD_BITS)
