"""Answers that are written at the door: their headers, and errors in the shape of Flask's."""

import json
from functools import lru_cache

from stopgap import problems
from stopgap.errors import StopgapError

Header = tuple[bytes, bytes]
Headers = list[Header]

Response = tuple[int, Headers, bytes]
"""A status, headers and a whole body."""

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")
CLOSE = (b"connection", b"close")
JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
PAGE = (b"content-type", b"text/html; charset=utf-8")
PROBLEM = (b"content-type", problems.MEDIA_TYPE.encode())
BY_ACCEPT = (b"vary", b"Accept")


@lru_cache(256)
def length_header(length: int) -> Header:
    """Write the length of a body; remembered, as answers of one contract have few lengths."""
    return b"content-length", b"%d" % length


@lru_cache(256)
def release_header(release: str) -> Header:
    """Write who answered; remembered, as there are few."""
    return b"stopgap-release", release.encode()


def answer_headers(body: bytes, release: str, request_id: str) -> Headers:
    """Write the headers of a prediction."""
    return [
        JSON,
        length_header(len(body)),
        release_header(release),
        NOSNIFF,
        NO_STORE,
        (b"x-request-id", request_id.encode()),
    ]


def problem(error: StopgapError, request_id: str, *, page: bool = False) -> Response:
    """Tell an error, as a document or as a page of its own."""
    document = problems.document(error, request_id)
    body = problems.page(document) if page else json.dumps(document).encode()
    own = [(b"content-security-policy", problems.PAGE_POLICY.encode())] if page else []
    headers = [
        PAGE if page else PROBLEM,
        length_header(len(body)),
        *own,
        *((name.lower().encode(), told.encode()) for name, told in problems.headers(error).items()),
        BY_ACCEPT,
        NOSNIFF,
        NO_STORE,
        (b"x-request-id", request_id.encode()),
    ]
    return document["status"], headers, body
