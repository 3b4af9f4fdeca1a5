"""Every kind of error has its status, its exit code and its problem document."""

import inspect

import pytest

from stopgap import wiring
from stopgap.cli import program
from stopgap.cli.exit_codes import exit_code_of
from stopgap.errors import Fault, StopgapError, kinds
from stopgap.predicting.guard import PredictionFailed
from stopgap.problems import document, headers, page, prefers_json, status_of, wants_page

EVERYWHERE = (wiring, program)
"""Importing these defines every kind."""

KINDS = sorted((kind for kind in kinds() if kind.__module__.startswith("stopgap")), key=str)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_kind_is_mapped(kind: type[StopgapError]) -> None:
    """A kind of error says what it means over HTTP and to a shell, and what it is in words."""
    assert 400 <= status_of(kind) < 600
    assert 0 < exit_code_of(kind) < 128
    assert inspect.getdoc(kind) != inspect.getdoc(StopgapError)


def test_codes_are_distinct() -> None:
    """No two kinds share a code, so that a problem's type names one page."""
    codes = [kind.code for kind in KINDS]
    assert len(codes) == len(set(codes))


class OutOfTea(StopgapError):
    """There is no tea left."""


def test_codes_and_titles_come_from_the_name() -> None:
    """A kind's code and title are made from its class's name."""
    assert (OutOfTea.code, OutOfTea.title) == ("out-of-tea", "Out of tea")


def test_document_shape() -> None:
    """A problem document has the members of RFC 9457, the request's id and the faults."""
    kind = next(kind for kind in KINDS if kind.code == "page-not-found")
    error = kind("No.", faults=[Fault(field="a", message="is missing")])
    request_id = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert document(error, request_id) == {
        "type": "/problems/page-not-found",
        "title": "Page not found",
        "status": 404,
        "detail": "No.",
        "instance": f"urn:uuid:{request_id}",
        "request_id": request_id,
        "errors": [{"field": "a", "message": "is missing"}],
    }


def test_retry_after_is_whole_seconds() -> None:
    """Retry-After is whole seconds, at least one."""
    assert headers(PredictionFailed("No."))["Retry-After"] == "1"
    for seconds, told in ((0.1, "1"), (59.3, "60"), (60.0, "60")):
        error = PredictionFailed("No.")
        error.retry_after = seconds
        assert headers(error)["Retry-After"] == told  # sooner, it would be refused again


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/json", True),
        ("APPLICATION/JSON; charset=utf-8", True),
        ("application/vnd.api+json, application/json", True),
        ("application/*", True),
        ("text/plain;q=0.5, */*", True),
        ("*/*", False),
        ("", False),
        ("text/plain, application/json", False),
        ("application/json;q=0", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
    ],
)
def test_who_prefers_json(accept: str, wanted: bool) -> None:  # what pytest gives
    """Where a text would do, JSON is for whoever says that it is more welcome."""
    assert prefers_json(accept) is wanted


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("TEXT/HTML, application/json", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.1", False),
        ("application/problem+json, text/html;q=0", False),
        ("application/problem+json, text/html;q=0.5", False),
        ("application/problem+json, text/html", True),
        ("text/*", False),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", False),
        ("text/html, image/gif, image/jpeg, */*; q=0.2", False),
    ],
)
def test_who_wants_a_page(accept: str, wanted: bool) -> None:  # what pytest gives
    """Whoever names HTML, and JSON no sooner, has errors as pages; Java names it unasked."""
    assert wants_page(accept) is wanted


def test_a_page_is_not_tricked() -> None:
    """What an error repeats of a request is text there."""
    told = document(PredictionFailed("<script>1</script>"), "0" * 32)
    assert b"<script>" not in page(told)
    assert b"&lt;script&gt;" in page(told)
