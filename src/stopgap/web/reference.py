"""The API reference: the OpenAPI document, and a viewer for it that needs no other host."""

from flask import Blueprint, Response

from stopgap.contracts.openapi import document
from stopgap.web.answers import json_answer, page
from stopgap.web.parts import parts
from stopgap.web.platform_paths import platform_paths

views = Blueprint("reference", __name__)

VIEWER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles of its own and draws its icons as data: URLs; its requests stay here."""


@views.get("/openapi.json")
def openapi() -> Response:
    """Describe every route of the client's, as OpenAPI 3.1."""
    return json_answer(document(parts().contracts, platform_paths()))


@views.get("/docs")
def viewer() -> Response:
    """Show the OpenAPI document, with every route ready to be tried."""
    response = page("reference.html")
    response.headers["Content-Security-Policy"] = VIEWER_POLICY
    return response
