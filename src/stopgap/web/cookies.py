"""Cookies: how a browser is told to keep something, and to forget it."""

from flask import Response, request

from stopgap.web.current import parts
from stopgap.web.peer import is_secure


def keep(
    response: Response, name: str, value: str, *, seconds: int, for_scripts: bool = False
) -> None:
    """Have the browser send a value with each request from now on.

    Args:
        seconds: For how long.
        for_scripts: Whether the page's own scripts may read and change it.
    """
    settings = parts().settings
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=not for_scripts,
        samesite="Lax",
        secure=settings.secure_cookies or is_secure(request, settings.trusted_proxies),
    )


def are_dropped() -> bool:
    """Tell whether the browser drops what it is to keep: it is Secure, and came by plain HTTP.

    One that sends Sec-Fetch-Site keeps it: that is only sent by HTTPS, perhaps to a proxy that is
    not trusted, or to the browser's own machine (W3C, Fetch Metadata Request Headers, section 2).
    """
    settings = parts().settings
    by_https = is_secure(request, settings.trusted_proxies) or "Sec-Fetch-Site" in request.headers
    return settings.secure_cookies and not by_https


def forget(response: Response, name: str) -> None:
    """Have the browser send it no longer."""
    response.delete_cookie(name, httponly=True, samesite="Lax")
