"""Counts: where failed sign-ins and limited predictions are counted, by the URL that says it."""

import importlib
import sys
from urllib.parse import urlsplit

from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.shared_counts import SharedCounts
from stopgap.errors import StartRefused

ALONE = "memory"
TOGETHER = ("valkey", "valkeys", "redis", "rediss")
"""Schemes of the servers that share counts; the second of each is with TLS."""


class LimitsUnknown(StartRefused):
    """The URL of the limits names no place where failures can be counted."""

    def __init__(self, scheme: str) -> None:
        known = ", ".join(f"{each}://" for each in (ALONE, *TOGETHER))
        super().__init__(f"STOPGAP_LIMITS begins with {scheme or 'no scheme'}; known are {known}.")


class LimitsUnusable(StartRefused):
    """The server that is to share counts cannot be spoken to as it was named."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Counts cannot be shared as STOPGAP_LIMITS says: {reason}.")


def open_counts(url: str, secret: bytes) -> MemoryCounts:
    """Open where is counted; nothing is asked of another server yet.

    Args:
        url: `memory://` is this process alone; `valkey://host:port` is shared by all who name it.
        secret: What is counted is told to another server under digests alone.

    Raises:
        LimitsUnknown: the URL has another scheme.
        LimitsUnusable: the server is named wrongly, or the library for it is missing.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in (ALONE, *TOGETHER):
        raise LimitsUnknown(f"{scheme}://" if separator else "")
    if scheme == ALONE:
        return MemoryCounts()
    try:
        valkey = importlib.import_module("stopgap.accounts.valkey")
    except ModuleNotFoundError as error:
        needed = f"{sys.executable} -m pip install valkey"
        raise LimitsUnusable(f"{error.name} is not installed: {needed}") from error
    try:
        server = valkey.ValkeyServer(url)
    except (ValueError, TypeError, valkey.ValkeyError) as error:
        raise LimitsUnusable(f"it is {scheme}://[:PASSWORD@]HOST[:PORT][/NUMBER]") from error
    return SharedCounts(server, secret)


def without_password(url: str) -> str:
    """Tell where is counted, without a password that is in the URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
