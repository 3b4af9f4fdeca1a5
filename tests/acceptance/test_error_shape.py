"""One error shape, for every way in which a route can answer with an error."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from tests.acceptance.client import Client
from tests.acceptance.problem_shape import UUID7, assert_explained, assert_problem

from stopgap.settings import Settings
from stopgap.web.console.ticks import ticked
from stopgap.wiring.application import create_app

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build the application that the servers run, to read its map of addresses."""
    settings = Settings(data=Path(tmp_path_factory.mktemp("application")))
    app = create_app(settings)
    with closing(app.extensions["stopgap"]):
        yield app


def targets(application: Flask) -> list[str]:
    """List an address of every route, with nonsense where a value belongs."""
    filled = {"rest": "x/y/z/0", "filename": "none.css"}
    found = []
    for rule in application.url_map.iter_rules():
        values = {name: filled.get(name, "nonsense") for name in rule.arguments}
        built = rule.build(values)
        assert built is not None, rule
        found.append(built[1])
    return [*dict.fromkeys(found), "/nowhere"]


def test_every_route_and_method(application: Flask, client: Client) -> None:
    """Whatever is asked of whatever route, an error has the one shape, and is never our fault."""
    for target in targets(application):
        for method in METHODS:
            answer = client.send(method, target, b"\0nonsense", content_type="text/nonsense")
            assert answer.status < 500, (method, target, answer.text)
            if answer.status >= 400:
                assert_explained(client, assert_problem(answer, answer.status))


def test_browsers_get_a_page(application: Flask, client: Client) -> None:
    """A browser gets the same error as a page, with the same status and headers; code as code."""
    for target in targets(application):
        for method in METHODS:
            plain = client.send(method, target, b"{", content_type="application/json")
            answer = client.send(
                method, target, b"{", content_type="application/json", accept="text/html,*/*"
            )
            assert answer.status == plain.status, (method, target)
            if answer.status < 400:
                continue
            document = plain.json()
            assert answer.header("Content-Type") == "text/html; charset=utf-8"
            assert answer.header("Vary") == "Accept"
            assert answer.header("Allow") == plain.header("Allow")
            assert document["title"] in answer.text
            assert ticked(document["detail"]) in answer.text
            assert f'href="{document["type"]}"' in answer.text
            assert UUID7.search(answer.text)


def test_a_page_is_not_tricked(client: Client) -> None:
    """What a page repeats of a bad request is shown as text, never run."""
    for target in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/predict/%3Cscript%3E/may/1", "/'\"%3E"):
        answer = client.get(target, accept="text/html")
        assert answer.status in {400, 404}
        assert "<script>" not in answer.text


def test_errors_are_not_kept(client: Client) -> None:
    """No error is kept by a browser or a proxy."""
    for target in ("/nowhere", "/predict/x/may/1", "/predict/" + "5" * 9_000):
        assert client.get(target).header("Cache-Control") == "no-store"
