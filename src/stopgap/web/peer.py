"""Who is at the other end: the client's address and scheme, proxies believed only when trusted."""

from collections.abc import Sequence

from flask import Request

from stopgap.address import Network, address_behind, is_trusted


def address_of(request: Request, trusted: Sequence[Network]) -> str:
    """Tell the client's address."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return address_behind(request.environ.get("REMOTE_ADDR", ""), forwarded, trusted)


def is_secure(request: Request, trusted: Sequence[Network]) -> bool:
    """Tell whether the client's own connection is HTTPS."""
    if request.environ.get("wsgi.url_scheme") == "https":
        return True
    if not is_trusted(request.environ.get("REMOTE_ADDR", ""), trusted):
        return False
    last = request.headers.get("X-Forwarded-Proto", "").split(",")[-1]
    return last.strip().lower() == "https"
