"""Errors that Flask itself, or nobody, foresaw: told in our words and our shape, or not at all."""

import difflib
import logging
from collections.abc import Callable

from flask import Response, current_app, g, request
from werkzeug import exceptions

from stopgap.errors import StopgapError
from stopgap.problems import (
    BodyMalformed,
    BodyTooLarge,
    InternalFault,
    MethodNotAllowed,
    PageNotFound,
    SignInNeeded,
)
from stopgap.telemetry.logs import Seldom
from stopgap.web import callers
from stopgap.web.answers import problem
from stopgap.web.bodies import raw_path, raw_query

NEARLY_MAX = 100
"""Characters of an address that are compared with ours; the comparison takes their square."""

logger = logging.getLogger(__name__)


def teller(seldom: Seldom) -> Callable[[StopgapError], Response]:
    """Make what answers our own errors; what is not for strangers is told to the log instead."""

    def tell(error: StopgapError) -> Response:
        if error.for_strangers and seldom.take_turn():
            logger.warning("request refused: %s", error, extra={"request_id": g.request_id})
        return problem(error)

    return tell


def refuse(error: exceptions.HTTPException) -> Response:
    """Answer one of Flask's own errors."""
    lost = isinstance(error, exceptions.NotFound)
    response = problem(_kind_of(error), nearest=_nearest() if lost else [])
    if isinstance(error, exceptions.MethodNotAllowed):
        response.headers["Allow"] = _methods(error)
    return response


def ask_to_sign_in(error: SignInNeeded) -> Response:
    """Answer whoever has to sign in first; a browser gets the form, which then leads back."""
    back = f"{raw_path()}?{raw_query()}".rstrip("?") if request.method == "GET" else ""
    ended = callers.session_id() is not None
    return problem(error, "sign_in.html", back=back, ended=ended, needed=True)


def _kind_of(error: exceptions.HTTPException) -> StopgapError:
    match error:
        case exceptions.NotFound():
            path = request.path[:200]
            return PageNotFound(f"There is nothing at {path!r}; the first page, /, lists the rest.")
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed(f"{request.method} is not allowed here; use {_methods(error)}.")
        case exceptions.RequestEntityTooLarge():
            return BodyTooLarge("The body is larger than this address takes.")
        case exceptions.HTTPException(code=int(code)) if code < exceptions.InternalServerError.code:
            return BodyMalformed("The request cannot be read.")
        case _:
            return InternalFault()


def _nearest() -> list[str]:
    """List the pages whose address is nearly what was asked for."""
    known = [
        rule.rule
        for rule in current_app.url_map.iter_rules()
        if not rule.arguments and "GET" in (rule.methods or ())
    ]
    return difflib.get_close_matches(request.path[:NEARLY_MAX], known, n=2)


def _methods(error: exceptions.MethodNotAllowed) -> str:
    return ", ".join(sorted(error.valid_methods or ()))


def fail(error: Exception) -> Response:
    """Log what nobody foresaw, and answer without a word of it."""
    logger.error("request failed", exc_info=error, extra={"request_id": g.request_id})
    return problem(InternalFault())
