"""The platform's own routes, as OpenAPI path items; a contract's come from the contract."""

from typing import Any

from stopgap.accounts.account import NAME_MAX
from stopgap.accounts.passwords import LENGTH_MAX
from stopgap.contracts.openapi import (
    ANYBODY_OR_SIGNED_IN,
    FORMS,
    JSON,
    SIGNED_IN,
    header,
    problem_response,
    shared_response,
)
from stopgap.images.image import Kind

TEXT = "text/plain"
REQUEST_ID: dict[str, Any] = {"X-Request-Id": header("X-Request-Id")}


def _answer(description: str, media_type: str, schema: dict[str, Any], example: Any) -> Any:
    return {
        "description": description,
        "headers": dict(REQUEST_ID),
        "content": {media_type: {"schema": schema, "example": example}},
    }


FETCHED = REQUEST_ID | {"ETag": {"schema": {"type": "string"}}}

CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
SPACES = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
NAME_OF_A_USER = f"^[^{CONTROLS}]*[^{CONTROLS}{SPACES}][^{CONTROLS}]*$"
"""No control characters, and not only spaces: what `accounts` allows, as a pattern."""

CREDENTIALS = {
    "type": "object",
    "properties": {
        "username": {
            "type": "string",
            "minLength": 1,
            "maxLength": NAME_MAX,
            "pattern": NAME_OF_A_USER,
        },
        "password": {
            "type": "string",
            "minLength": 1,
            "maxLength": LENGTH_MAX,
            "format": "password",
        },
    },
    "required": ["username", "password"],
    "example": {"username": "orhan", "password": "12345"},
}

IMAGE_TYPES = [kind.media_type for kind in Kind]

IMAGE = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "media_type": {"enum": IMAGE_TYPES},
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "bytes": {"type": "integer", "minimum": 1},
        "created_at": {"type": "string", "format": "date-time"},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["path", "media_type", "width", "height", "bytes", "created_at", "expires_at"],
}
IMAGE_EXAMPLE = {
    "path": "/images/4f1c.png",
    "media_type": "image/png",
    "width": 640,
    "height": 480,
    "bytes": 20480,
    "created_at": "2026-01-31T12:00:00+00:00",
    "expires_at": None,
}

NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The last part of the path that the upload gave.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{72}\\.(jpg|png|webp|gif)$"},
}

BINARY = {"type": "string", "format": "binary"}

ALWAYS = {
    "408": shared_response("BodyLate"),
    "413": shared_response("BodyTooLarge"),
    "414": shared_response("AddressTooLong"),
    "503": problem_response("Too much is asked at once, or the database is away.", "Retry-After"),
}
"""What every route may answer, where it says nothing else of it."""

UNSAFE = {
    "403": problem_response("A browser sent it from another site's page."),
}
"""What every route may answer that changes something, where it says nothing else of it."""


def _sent_on(description: str) -> Any:
    location = {"schema": {"type": "string", "format": "uri-reference"}}
    return {"description": description, "headers": {"Location": location} | REQUEST_ID}


def platform_paths(*, guests: bool = True) -> dict[str, Any]:
    """Describe the routes that every contract comes with.

    Args:
        guests: Whether somebody without an account may upload images.
    """
    paths: dict[str, dict[str, Any]] = {
        "/status": {"get": _status()},
        "/login": {"post": _login(), "get": _sign_in_form()},
        "/logout": {"post": _logout()},
        "/images": {"post": _upload(guests=guests), "get": _list()},
        "/images/{name}": {"get": _fetch(), "delete": _delete()},
        "/health": {"get": _health()},
    }
    for operations in paths.values():
        for method, operation in operations.items():
            usual = ALWAYS if method == "get" else ALWAYS | UNSAFE
            operation["responses"] = dict(sorted((usual | operation["responses"]).items()))
    paths["/images/{name}"]["parameters"] = [NAME]
    return paths


def _status() -> dict[str, Any]:
    return {
        "operationId": "status",
        "summary": "Whether the server runs",
        "responses": {"200": _answer("It does.", TEXT, {"const": "Alive!"}, "Alive!")},
    }


def _login() -> dict[str, Any]:
    sentence = "Login success for user orhan with password of length: 5!"
    return {
        "operationId": "login",
        "summary": "Sign in and start a session",
        "description": "The keys `user` and `pass` are read too. The answer sets the session's "
        "cookie; a browser's own form gets a redirect to the first page instead.",
        "requestBody": {
            "required": True,
            "content": {media_type: {"schema": CREDENTIALS} for media_type in (JSON, *FORMS)},
        },
        "responses": {
            "200": _answer("Signed in.", TEXT, {"type": "string"}, sentence),
            "303": _sent_on("Signed in, by a browser's own form."),
            "400": problem_response("A value is missing, or the body cannot be read."),
            "401": problem_response("Unknown name or wrong password."),
            "415": shared_response("MediaTypeUnsupported"),
            "422": problem_response("The name or password cannot be one."),
            "429": problem_response("Too many failures; try again later.", "Retry-After"),
            "507": shared_response("DiskFull"),
        },
    }


def _sign_in_form() -> dict[str, Any]:
    return {
        "operationId": "signInForm",
        "summary": "Lead a browser to the sign-in form",
        "responses": {
            "303": _sent_on("The form is on the first page."),
        },
    }


def _logout() -> dict[str, Any]:
    return {
        "operationId": "logout",
        "summary": "End the session",
        "responses": {
            "200": _answer("Signed out.", TEXT, {"const": "Signed out."}, "Signed out."),
            "303": _sent_on("Signed out, by a browser's own form."),
            "507": shared_response("DiskFull"),
        },
    }


def _upload(*, guests: bool) -> dict[str, Any]:
    form = {"type": "object", "properties": {"image": BINARY}, "required": ["image"]}
    created = _answer("Kept; this is its path.", TEXT, {"type": "string"}, IMAGE_EXAMPLE["path"])
    created["content"][JSON] = {"schema": IMAGE, "example": IMAGE_EXAMPLE}
    created["headers"]["Location"] = {"schema": {"type": "string"}}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    return {
        "operationId": "uploadImage",
        "summary": "Keep an image; get its path on the server",
        "description": "JPEG, PNG, WebP or GIF, as the multipart field `image`, `file` or `file1`, "
        "or as the raw body. It is re-encoded; nothing of its metadata is kept.",
        "security": ANYBODY_OR_SIGNED_IN if guests else SIGNED_IN,
        "requestBody": {
            "required": True,
            "content": content | {media_type: {"schema": BINARY} for media_type in IMAGE_TYPES},
        },
        "responses": {
            "201": created,
            "303": _sent_on("Kept, by a browser's own form."),
            "400": problem_response("No image, or a broken one."),
            "401": problem_response(
                "Sign in first (where there are no guests, or the session has ended), or the key "
                "is refused.",
                "WWW-Authenticate",
            ),
            "413": problem_response("Too many bytes or pixels."),
            "415": problem_response("Not a JPEG, PNG, WebP or GIF."),
            "429": problem_response("The quota is used up."),
            "507": shared_response("DiskFull"),
        },
    }


def _list() -> dict[str, Any]:
    schema = {"type": "array", "items": IMAGE}
    return {
        "operationId": "listImages",
        "summary": "One's own images, newest first",
        "security": SIGNED_IN,
        "responses": {
            "200": _answer("The images.", JSON, schema, [IMAGE_EXAMPLE]),
            "401": problem_response("Sign in first, or the key is refused.", "WWW-Authenticate"),
        },
    }


def _fetch() -> dict[str, Any]:
    content = {media_type: {"schema": BINARY} for media_type in IMAGE_TYPES}
    return {
        "operationId": "fetchImage",
        "summary": "An image",
        "description": "A guest's image can be read by whoever has its path; an account's by that "
        "account alone.",
        "security": ANYBODY_OR_SIGNED_IN,
        "responses": {
            "200": {
                "description": "The image, with a strong ETag.",
                "headers": FETCHED,
                "content": content,
            },
            "304": {
                "description": "The client has it already (If-None-Match).",
                "headers": FETCHED,
            },
            "401": problem_response("The key is refused.", "WWW-Authenticate"),
            "404": problem_response("There is no such image for you."),
        },
    }


def _delete() -> dict[str, Any]:
    return {
        "operationId": "deleteImage",
        "summary": "Delete an image of one's own",
        "security": SIGNED_IN,
        "responses": {
            "204": {"description": "Gone.", "headers": REQUEST_ID},
            "401": problem_response("Sign in first, or the key is refused.", "WWW-Authenticate"),
            "404": problem_response("There is no such image of yours."),
            "413": problem_response("The body is too large; it needs none."),
        },
    }


def _health() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    return {
        "operationId": "health",
        "summary": "Whether the server can serve, for load balancers",
        "responses": {
            "200": _answer("It can.", JSON, schema, {"status": "ok"}),
            "503": problem_response(
                "Its database is away, no answer can be put on record, or nobody can answer yet."
            ),
        },
    }
