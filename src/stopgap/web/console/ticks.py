"""Ticks: words between backticks, as our texts have them, set as code on pages."""

import re

from markupsafe import Markup, escape

TICKED = re.compile(r"`([^`]+)`")


def ticked(text: str) -> Markup:
    """Set what stands between backticks as code; all else is text, whatever it looks like."""
    return Markup(TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped first
