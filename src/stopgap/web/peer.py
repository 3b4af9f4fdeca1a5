"""Who is at the other end: the client's address and scheme, proxies believed only when trusted."""

import ipaddress
from collections.abc import Sequence

from flask import Request

from stopgap.settings import Network


def address_of(request: Request, trusted: Sequence[Network]) -> str:
    """Tell the client's address.

    Each trusted proxy has appended the address it saw to X-Forwarded-For, so the list is read from
    its end, as long as the one who wrote an entry is trusted.
    """
    address: str = request.environ.get("REMOTE_ADDR", "")
    claimed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    while claimed and _is_trusted(address, trusted) and _is_address(claimed[-1]):
        address = claimed.pop()
    return address


def is_secure(request: Request, trusted: Sequence[Network]) -> bool:
    """Tell whether the client's own connection is HTTPS."""
    if request.environ.get("wsgi.url_scheme") == "https":
        return True
    if not _is_trusted(request.environ.get("REMOTE_ADDR", ""), trusted):
        return False
    last = request.headers.get("X-Forwarded-Proto", "").split(",")[-1]
    return last.strip().lower() == "https"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    if not trusted or not _is_address(address):
        return False
    peer = ipaddress.ip_address(address)
    mapped = getattr(peer, "ipv4_mapped", None) or peer
    return any(mapped in network for network in trusted if network.version == mapped.version)
