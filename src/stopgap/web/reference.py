"""The API reference: the OpenAPI document, the same as a page for people, and kinds of errors."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response

from stopgap.contracts.contract import Contract
from stopgap.contracts.openapi import document
from stopgap.errors import kinds
from stopgap.problems import PageNotFound, status_of
from stopgap.settings import Settings
from stopgap.web.answers import in_json, page
from stopgap.web.console.operation import operations
from stopgap.web.current import parts
from stopgap.web.platform_paths import platform_paths

views = Blueprint("reference", __name__)


@views.get("/openapi.json")
def openapi() -> Response:
    """Describe every route of the API, as OpenAPI 3.1.

    Letters stand for themselves: YAML, as which many read it, has no pair of escapes for one.
    """
    return Response(in_json(_document()), mimetype="application/json")


@views.get("/docs")
def viewer() -> Response:
    """Show the OpenAPI document: every route, its values, its answers and an example."""
    described = _document()
    return page(
        "reference.html",
        operations=operations(described),
        info=described["info"],
        schemes=described["components"]["securitySchemes"],
    )


@views.get("/problems/<code>")
def problem_kind(code: str) -> Response:
    """Explain a kind of error."""
    for kind in kinds():
        if kind.code == code:
            return page("problem_kind.html", kind=kind, meaning=status_of(kind))
    raise PageNotFound(f"There is no problem called {code[:100]!r}.")


def _document() -> dict[str, Any]:
    return described(parts().contracts, parts().settings)


def described(contracts: Sequence[Contract], settings: Settings) -> dict[str, Any]:
    """Write the OpenAPI document of a server of some contracts, with some settings."""
    own = platform_paths(guests=settings.guests)
    return document(contracts, own, closed=settings.predictions != "open")
