"""Who is at the other end, proxies believed only when trusted; and by what name it knows us."""

import re
from collections.abc import Sequence

from flask import Request

from stopgap.address import Network, address_behind, is_trusted

HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,255}")
"""A name or address, with a port perhaps."""


def host_of(request: Request) -> str:
    """Tell what the client calls this server: `api.example:8000`; empty if that is no host.

    Werkzeug knows none with an underscore, though a container or a machine may be called so.
    """
    host = request.headers.get("Host", "")
    usual = ":443" if request.scheme == "https" else ":80"
    return host.removesuffix(usual) if HOST.fullmatch(host) else ""


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
