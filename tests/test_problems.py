"""Every kind of error has its status, its exit code and its problem document."""

import inspect

import pytest

from stopgap import wiring
from stopgap.cli import program
from stopgap.cli.exit_codes import exit_code_of
from stopgap.errors import Fault, StopgapError, kinds
from stopgap.predicting.line import PredictionFailed
from stopgap.problems import document, headers, status_of

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
