"""The routes of an image that is kept: the list of one's own, the image itself, its deletion."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.permissions import Permission
from stopgap.images.image import Image
from stopgap.web import callers
from stopgap.web.answers import json_answer
from stopgap.web.parts import parts

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
    owner = callers.signed_in(Permission.UPLOAD)
    return json_answer([described(image) for image in parts().images.list(owner.id)])


@api.get("/images/<name>")
def fetch_image(name: str) -> Response:
    """Send an image to anybody who may see it."""
    asker = callers.caller()
    image = parts().images.get(name, asker.id if asker else None)
    response = Response(mimetype=image.media_type)
    response.set_etag(image.etag)
    response.last_modified = image.created_at
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    for header in ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE"):  # they are for changes
        request.environ.pop(header, None)
    response.make_conditional(request)
    if response.status_code == 200:  # noqa: PLR2004  # not 304: the client lacks it
        response.data = parts().images.content(image)
    return response


@api.delete("/images/<name>")
def delete_image(name: str) -> Response:
    """Delete an image of one's own."""
    owner = callers.signed_in(Permission.UPLOAD)
    parts().images.delete(name, owner.id)
    return Response(status=204)
