"""What the views call: the parts of the application that handles the current request."""

from flask import current_app

from stopgap.parts import Parts

NAME = "stopgap"
"""Under which an application has its parts."""


def parts() -> Parts:
    """Find the parts of the application that handles the current request."""
    found: Parts = current_app.extensions[NAME]
    return found
