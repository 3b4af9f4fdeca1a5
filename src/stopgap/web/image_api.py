"""The routes of an image that is kept: the list of one's own, the image itself, its deletion."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.permissions import Permission
from stopgap.images.image import Image
from stopgap.web import callers
from stopgap.web.answers import json_answer
from stopgap.web.current import parts

api = Blueprint("image_api", __name__)


def described(image: Image) -> dict[str, Any]:
    """Tell what is known of an image, as JSON."""
    return {
        "path": url_for("image_api.fetch_image", name=image.name),
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "created_at": image.created_at.isoformat(),
        "expires_at": image.expires_at.isoformat() if image.expires_at else None,
    }


@api.get("/images")
def list_images() -> Response:
    """List one's own images, newest first."""
    owner = callers.signed_in(Permission.MANAGE_OWN)
    return json_answer([described(image) for image in parts().images.list(owner.id)])


@api.get("/images/<name>")
def fetch_image(name: str) -> Response:
    """Send an image to anybody who may see it."""
    asker = callers.caller()
    image = parts().images.get(name, asker.id if asker else None)
    return unless_known(image, lambda: (parts().images.content(image), image.media_type))


def unless_known(image: Image, fetch: Callable[[], tuple[bytes, str]]) -> Response:
    """Send an image, or a copy of it, to a browser that may keep it, but asks before each use.

    So it is shown to nobody who has lost the right to see it.

    Args:
        fetch: Gives the bytes and their media type; only called where the browser lacks them.
    """
    response = Response()
    response.set_etag(image.etag)
    response.last_modified = image.created_at
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.make_conditional(request)
    if response.status_code == 200:  # noqa: PLR2004  # not 304
        response.data, response.mimetype = fetch()
    return response


@api.delete("/images/<name>")
def delete_image(name: str) -> Response:
    """Delete an image of one's own."""
    owner = callers.signed_in(Permission.MANAGE_OWN)
    parts().images.delete(name, owner.id)
    return Response(status=204)
