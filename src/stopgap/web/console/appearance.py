"""Appearance: light, dark, or as the system has it; kept in a cookie of this browser."""

from flask import Blueprint, Response, request, url_for

from stopgap.web import cookies
from stopgap.web.answers import page, see_other
from stopgap.web.console.frame import THEME_COOKIE, THEMES

views = Blueprint("console_appearance", __name__, url_prefix="/console/appearance")

COOKIE_SECONDS = 31_536_000
"""A year: a choice of colours is no secret, and tells nothing of who made it."""


@views.get("")
def form() -> Response:
    """Show the choice of colours."""
    return page("appearance.html", saved="saved" in request.args)


@views.post("")
def choose() -> Response:
    """Keep the choice of colours; anything but light or dark means the system's."""
    chosen = request.form.get("theme", "")
    response = see_other(url_for("console_appearance.form", saved=""))
    if chosen in THEMES:
        cookies.keep(response, THEME_COOKIE, chosen, seconds=COOKIE_SECONDS, for_scripts=True)
    else:
        cookies.forget(response, THEME_COOKIE)
    return response
