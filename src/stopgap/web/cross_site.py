"""Refusing what a browser was made to send by a page of another site (CSRF)."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Request

from stopgap.address import is_of_this_machine, leads_nowhere_else
from stopgap.problems import CrossSiteRefused
from stopgap.settings import Settings
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


def refuse_strange_name(
    request: Request, settings: Settings, demo_is_open: Callable[[], bool]
) -> None:
    """Let no page change anything in a demo of this machine alone under a name that somebody owns.

    Its owner may have the name lead here once the page is loaded (DNS rebinding): then the page is
    this site's own to the browser, and all know the password of the demo's account.

    Args:
        demo_is_open: Tells whether that account still has this password.

    Raises:
        CrossSiteRefused: it may be such a page's.
    """
    by_page = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    if request.method in SAFE_METHODS or not by_page:
        return
    alone = is_of_this_machine(settings.host) and not settings.trusted_proxies
    strange = alone and settings.demo_account and not leads_nowhere_else(_name_in(host_of(request)))
    if strange and demo_is_open():
        raise CrossSiteRefused(
            "This demo is for this machine alone, and heeds pages at localhost or at an address, "
            "not under another name. If a tunnel or a proxy hands on its own name, name the "
            "tunnel's or the proxy's address in STOPGAP_TRUSTED_PROXIES, or set STOPGAP_HOST."
        )


def _name_in(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:  # half of an IPv6 address
        return ""


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half of an IPv6 address
        return None
