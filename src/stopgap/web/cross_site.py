"""Refusing what a browser was made to send by a page of another site (CSRF)."""

from urllib.parse import urlsplit

from flask import Request

from stopgap.problems import CrossSiteRefused
from stopgap.web.peer import host_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def refuse_cross_site(request: Request) -> None:
    """Let pass what this site's own pages, a person or a program sent.

    Browsers tell where a request comes from in Sec-Fetch-Site, older ones in Origin. Programs send
    neither; they carry nobody's cookies by accident.

    Raises:
        CrossSiteRefused: another site's page sent it.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        origin, here = request.headers.get("Origin"), host_of(request)
        allowed = origin is None or (here != "" and _host_in(origin) == here)
    if not allowed:
        raise CrossSiteRefused(
            "This came from a page of another site; send it from this site's own pages, or from a "
            "program."
        )


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half of an IPv6 address
        return None
