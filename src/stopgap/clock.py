"""Time and ids, handed in everywhere, so that no test has to patch them."""

import secrets
import time
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Tell the time of day, in UTC."""

    def monotonic(self) -> float:
        """Tell seconds since some moment, never going back."""


class Ids(Protocol):
    """Where names that nobody has had before come from."""

    def new(self) -> str:
        """Make a unique id that sorts by the time of its making."""

    def secret(self) -> str:
        """Make a word that nobody can guess: 256 random bits, safe in URLs and file names."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds since some moment, never going back."""
        return time.monotonic()


class RandomIds:
    """Ids from the operating system's randomness."""

    def new(self) -> str:
        """Make a UUID version 7 (RFC 9562, section 5.7): milliseconds first, then randomness."""
        milliseconds = time.time_ns() // 1_000_000
        value = (milliseconds << 80) | secrets.randbits(80)
        value = (value & ~(0xF << 76)) | (0x7 << 76)  # the version
        value = (value & ~(0x3 << 62)) | (0x2 << 62)  # the variant
        return str(UUID(int=value))

    def secret(self) -> str:
        """Make 256 random bits, in hexadecimal: safe in URLs and file names of any system."""
        return secrets.token_hex(32)
