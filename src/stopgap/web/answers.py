"""How answers look: plain text, JSON, pages, and problems in either form."""

import json
from typing import Any

from flask import Response, g, make_response, render_template

from stopgap import problems
from stopgap.errors import StopgapError
from stopgap.web.bodies import wants_html


def text(body: str, status: int = 200) -> Response:
    """Answer with plain text, exactly as given."""
    return Response(body, status, mimetype="text/plain")


def json_answer(value: Any, status: int = 200) -> Response:
    """Answer with a JSON value."""
    return Response(json.dumps(value), status, mimetype="application/json")


def in_json(value: Any) -> str:
    """Write a value as JSON for people: in its own letters, but for half of a surrogate pair."""
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()


def see_other(address: str) -> Response:
    """Send a browser on to a page, after a form has done its work (RFC 9110, section 15.4.4)."""
    return Response(status=303, headers={"Location": address})


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Answer with an HTML page."""
    return make_response(render_template(template, **values), status)


def problem(error: StopgapError, template: str = "problem.html", **values: Any) -> Response:
    """Answer with an error: a page for a browser, a problem document for a program.

    Args:
        error: What is wrong.
        template: The page; a form's own is shown again, with what is wrong in it.
        values: What the page needs besides `problem`.
    """
    document = problems.document(error, g.request_id)
    status = document["status"]
    if wants_html():
        response = page(template, status, problem=document, **values)
    else:
        response = Response(json.dumps(document), status, mimetype=problems.MEDIA_TYPE)
    response.headers.update(problems.headers(error))
    response.headers["Vary"] = "Accept"
    return response
