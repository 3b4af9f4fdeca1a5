"""Images: bring them by form, drop or paste; look at one's own, copy their paths, delete them."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.permissions import Permission
from stopgap.contracts.parsing import InputMalformed
from stopgap.images.image import (
    Image,
    ImageBroken,
    ImageNotFound,
    ImageQuotaReached,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageUnrecognised,
)
from stopgap.problems import SignInNeeded
from stopgap.web import callers
from stopgap.web.answers import page, problem, see_other
from stopgap.web.client_api import keep_image
from stopgap.web.current import parts
from stopgap.web.image_api import unless_known

PREFIX = "/console/images"

views = Blueprint("console_images", __name__, url_prefix=PREFIX)

PAGE = 8
"""Images of a page: two rows on a screen, and light with their small copies."""

ABOUT_THE_FILE = (
    *(ImageBroken, ImageQuotaReached, ImageTooLarge, ImageTooManyPixels, ImageUnrecognised),
    InputMalformed,
)
"""What is told beside the field of the form; all else has a page of its own."""


@views.get("")
def gallery() -> Response:
    """Show the form for new images, and one's own images, newest first."""
    return page("images.html", **_gallery())


@views.post("")
def upload() -> Response:
    """Keep the form's image, and show it among the others."""
    try:
        image, session_id = keep_image()
    except ABOUT_THE_FILE as refusal:
        return problem(refusal, "images.html", **_gallery())
    response = see_other(url_for("console_images.gallery", kept=image.name))
    if session_id is not None:
        callers.remember(response, session_id, guest=True)
    return response


def _gallery() -> dict[str, Any]:
    caller = callers.caller()
    if caller is None and not parts().settings.guests:
        raise SignInNeeded("Images are their account's alone: sign in to see and upload yours.")
    images = parts().images.list(caller.id) if caller else []
    kept = request.args.get("kept")
    pages = range(1, 1 + max(1, -(-len(images) // PAGE)))
    number = request.args.get("page", 1, type=int)
    here = number if number in pages else 1
    return {
        "images": images[PAGE * (here - 1) : PAGE * here],
        "count": len(images),
        "newer": here - 1,  # the numbers of the pages beside this one; 0 for none
        "older": here + 1 if here + 1 in pages else 0,
        "kept": next((image for image in images if image.name == kept), None),
        "deleted": "deleted" in request.args,
    }


@views.get("/<name>")
def show(name: str) -> Response:
    """Show one image of one's own in full, with its path and what is known of it."""
    return page("image.html", image=_own(name))


@views.get("/<name>/small")
def small(name: str) -> Response:
    """Send a small copy of an image of one's own."""
    image = _own(name)
    return unless_known(image, lambda: parts().images.small(image))


@views.post("/<name>/delete")
def delete(name: str) -> Response:
    """Delete an image of one's own, and show the others."""
    owner = callers.signed_in(Permission.MANAGE_OWN)
    parts().images.delete(name, owner.id)
    return see_other(url_for("console_images.gallery", deleted=""))


def _own(name: str) -> Image:
    owner = callers.signed_in(Permission.MANAGE_OWN)
    image = parts().images.get(name, owner.id)
    if image.owner != owner.id:
        raise ImageNotFound
    return image
