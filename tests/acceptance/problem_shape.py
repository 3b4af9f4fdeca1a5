"""The one shape of every error, asserted for every way to produce one."""

import re
from collections.abc import Collection
from typing import Any

from tests.acceptance.client import Answer, Client

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TYPE = re.compile(r"/problems/[a-z]+(-[a-z]+)*")
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


def assert_problem(
    answer: Answer, status: int, fields: Collection[str] | None = None
) -> dict[str, Any]:
    """Hold an answer against RFC 9457 and our own promise; return the document.

    Args:
        answer: What came.
        status: What it should be.
        fields: The fields that must be named as at fault, all of them and no others.
    """
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.header("Content-Type") == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) - {"errors"} == MEMBERS
    assert TYPE.fullmatch(document["type"])
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    request_id = answer.header("X-Request-Id")
    assert request_id is not None
    assert UUID7.fullmatch(request_id)
    assert document["request_id"] == request_id
    assert document["instance"] == f"urn:uuid:{request_id}"
    assert "Traceback" not in answer.text
    assert (answer.header("WWW-Authenticate") is not None) == (status == 401)
    assert (answer.header("Allow") is not None) == (status == 405)
    assert (answer.header("Retry-After") is not None) == (status in {429, 503})
    for error in document.get("errors", []):
        assert {"field", "message"} <= set(error) <= {"field", "message", "received"}
        assert error["message"]
    if fields is not None:
        assert {error["field"] for error in document.get("errors", [])} == set(fields)
    return document


def assert_explained(client: Client, document: dict[str, Any]) -> None:
    """Hold that a problem's type is a page that the server itself serves."""
    page = client.get(document["type"])
    assert page.status == 200, document["type"]
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert document["title"] in page.text
