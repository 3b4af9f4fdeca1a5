"""Setting values: what the text of a setting means; one that means nothing is a ValueError."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from stopgap.address import Network

YES_NO = "true or false"


def integer(low: int, high: int) -> Callable[[str], int]:
    """Make the reader of an integer in a range, both ends included."""

    def parse(written: str) -> int:
        if not re.fullmatch("[0-9]+", written):  # `int` reads `5_000`, `+5` and other digits
            raise ValueError(written)
        value = int(written)
        if not low <= value <= high:
            raise ValueError(written)
        return value

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Make the reader of one word of some."""

    def parse(written: str) -> str:
        if written not in choices:
            raise ValueError(written)
        return written

    return parse


def boolean(written: str) -> bool:
    """Read yes or no."""
    return one_of("true", "1", "false", "0")(written.lower()) in {"true", "1"}


def words(written: str) -> tuple[str, ...]:
    """Read what stands between commas, at least one word."""
    found = tuple(word.strip() for word in written.split(",") if word.strip())
    if not found:
        raise ValueError(written)
    return found


def networks(written: str) -> tuple[Network, ...]:
    """Read addresses and networks, at least one."""
    return tuple(ipaddress.ip_network(word) for word in words(written))


def url(written: str) -> str:
    """Read the URL of a host, without spaces and quotes."""
    parts = urlsplit(written)
    named = parts.hostname and parts.port != 0  # it raises the error for a port that is no number
    odd = re.search(r"[\s\"']", written)
    if not written.startswith(("http://", "https://")) or not named or odd:
        raise ValueError(written)
    return written


def rate(written: str) -> str:
    """Read how often something may be: `20/minute`."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", written):
        raise ValueError(written)
    return written


def text(written: str) -> str:
    """Read a text that is not blank."""
    if not written.strip():
        raise ValueError(written)
    return written
