"""The rules of all answers together, held at the end of a visit."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from stopgap.contracts.conformance.calling import Answer, Request
from stopgap.contracts.conformance.visiting import (
    KEPT,
    Broken,
    NotChecked,
    Visit,
    expect_header,
    rules,
)

PROBLEM = "application/problem+json"

UNSHARED = {"no-store", "private", "no-cache"}
"""What forbids a cache to give an answer to somebody else (RFC 9111, section 5.2.2)."""


def _request_ids(visit: Visit) -> None:
    own = "00000000-0000-7000-8000-000000000000"
    visit.call(Request(target="/status", headers={"X-Request-Id": own}))
    seen = {own}
    for answer in visit.answers:
        value = expect_header(answer, "X-Request-Id")
        try:
            UUID(value)
        except ValueError as error:
            raise Broken(answer.request, "a UUID as X-Request-Id", value) from error
        if value in seen:
            raise Broken(answer.request, "an X-Request-Id that nobody has had before", value)
        seen.add(value)


def _problem_shape(visit: Visit) -> None:
    errors = [
        answer
        for answer in visit.answers
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.request.method != "HEAD"
    ]
    if not errors:
        raise NotChecked("there was no error")
    for answer in errors:
        if answer.media_type != PROBLEM:
            raise Broken(answer.request, f"an object in {PROBLEM}", answer)
        if len(answer.body) >= KEPT:
            continue  # it was cut: a choice of thousands of values is told in so many bytes
        document = answer.json()
        if not isinstance(document, dict):
            raise Broken(answer.request, f"an object in {PROBLEM}", answer)
        if lack := _lack(answer, document):
            raise Broken(answer.request, lack, answer)


def _lack(answer: Answer, document: Mapping[str, Any]) -> str | None:
    """Say what a problem document should have and has not."""
    for key in ("type", "title", "detail"):
        if not isinstance(document.get(key), str) or not document[key]:
            return f"a problem with {key}"
    if document.get("status") != answer.status:
        return f"a problem whose status is {answer.status}"
    request_id = answer.header("X-Request-Id")
    if request_id and document.get("request_id") != request_id:
        return f"a problem whose request_id is {request_id}"
    if document.get("instance") != f"urn:uuid:{document.get('request_id')}":
        return f"a problem whose instance is urn:uuid:{request_id}"
    errors = document.get("errors", [])
    if not isinstance(errors, list) or not all(_is_fault(error) for error in errors):
        return "errors that each have a field and a message"
    return None


def _is_fault(error: object) -> bool:
    return isinstance(error, dict) and all(
        isinstance(error.get(key), str) for key in ("field", "message")
    )


def _no_cache(visit: Visit) -> None:
    own = [
        answer
        for answer in visit.answers
        if answer.header("Set-Cookie") or "Cookie" in answer.request.headers
    ]
    if not (own or visit.predictions):
        raise NotChecked("there was neither a session nor a prediction")
    for answer in (*own, *visit.predictions):
        told = [value for name, value in answer.headers if name.lower() == "cache-control"]
        words = {word.strip().lower() for word in ",".join(told).split(",")}
        if not words & UNSHARED:
            wanted = "Cache-Control with no-store, private or no-cache"
            raise Broken(answer.request, wanted, ", ".join(told) or "none")


def _release(visit: Visit) -> None:
    if not visit.predictions:
        raise NotChecked("there was no prediction")
    for answer in visit.predictions:
        expect_header(answer, "Stopgap-Release")


def _no_traceback(visit: Visit) -> None:
    if not visit.answers:
        raise NotChecked("there was no answer")
    for answer in visit.answers:
        if b"Traceback (most recent call last)" in answer.body:
            raise Broken(answer.request, "no word of the server's inside", "a traceback")


ANSWER_RULES = rules(
    {
        _release: "Every prediction says which release gave it.",
        _no_cache: "No cache may share a session, what is a session's, or a prediction.",
        _request_ids: "Every answer has an id of the server's own that no other has.",
        _problem_shape: "Every error is a problem document (RFC 9457).",
        _no_traceback: "No answer has a traceback in it.",
    }
)
"""What holds for all answers, of any route."""
