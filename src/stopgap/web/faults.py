"""Errors that Flask itself, or nobody, foresaw: told in our words and our shape, or not at all."""

import logging

from flask import Response, g, request
from werkzeug import exceptions

from stopgap.errors import StopgapError
from stopgap.problems import (
    BodyMalformed,
    BodyTooLarge,
    InternalFault,
    MethodNotAllowed,
    PageNotFound,
)
from stopgap.web.answers import problem

logger = logging.getLogger(__name__)


def refuse(error: exceptions.HTTPException) -> Response:
    """Answer one of Flask's own errors."""
    response = problem(_kind_of(error))
    if isinstance(error, exceptions.MethodNotAllowed):
        response.headers["Allow"] = _methods(error)
    return response


def _kind_of(error: exceptions.HTTPException) -> StopgapError:
    match error:
        case exceptions.NotFound():
            path = request.path[:200]
            return PageNotFound(f"There is nothing at {path!r}; the first page, /, lists the rest.")
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed(f"{request.method} cannot be used here, but {_methods(error)}.")
        case exceptions.RequestEntityTooLarge():
            return BodyTooLarge("The body is larger than this address takes.")
        case exceptions.HTTPException(code=int(code)) if code < exceptions.InternalServerError.code:
            return BodyMalformed("The request cannot be read.")
        case _:
            return _internal()


def _methods(error: exceptions.MethodNotAllowed) -> str:
    return ", ".join(sorted(error.valid_methods or ()))


def fail(error: Exception) -> Response:
    """Log what nobody foresaw, and answer without a word of it."""
    logger.error("request failed", exc_info=error, extra={"request_id": g.request_id})
    return problem(_internal())


def _internal() -> InternalFault:
    return InternalFault("The server cannot answer; its log says more under this request id.")
