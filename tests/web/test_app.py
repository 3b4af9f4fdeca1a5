"""The Flask application by itself: every route, without door, event loop or port."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.pictures import png

from stopgap import wiring
from stopgap.settings import Settings
from stopgap.web.parts import NAME


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """Build the demo's application."""
    app = wiring.create_app(Settings(data=tmp_path, stand_in="stable"))
    yield app
    app.extensions[NAME].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Call the application directly."""
    return app.test_client()


def test_every_route_has_a_docstring(app: Flask) -> None:
    """The client asked for a docstring on each route, and a name that says what it does."""
    views = {name: view for name, view in app.view_functions.items() if name != "static"}
    undocumented = [name for name, view in views.items() if not getattr(view, "func", view).__doc__]
    assert undocumented == []


def test_predictions_without_the_door(client: FlaskClient) -> None:
    """Path, query, JSON and form give the same answer to the same inputs."""
    values = {"seller_available": 5, "month": "january", "customer_visiting_website": 100}
    answers = {
        client.get("/predict/5/january/100").text,
        client.get("/predict", query_string=values).text,
        client.post("/predict", json=values).text,
        client.post("/predict", data=values).text,
    }
    assert len(answers) == 1
    assert 2000 <= int(answers.pop()) <= 5000


def test_the_raw_path_counts(client: FlaskClient) -> None:
    """An encoded slash is part of a value, here as behind the door."""
    response = client.get("/predict/5%2F1/january/100")
    assert response.status_code == 400
    assert response.json is not None
    assert [fault["field"] for fault in response.json["errors"]] == ["seller_available"]


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("B", b'--B\r\nContent-Disposition: form-data; name="month"\r\n\r\nmay\r\n'),
        ("", b'--B\r\nContent-Disposition: form-data; name="month"\r\n\r\nmay\r\n--B--\r\n'),
        ("B", b"--B\r\n\r\nmay\r\n--B--\r\n"),
    ],
    ids=["cut off", "no boundary", "no name"],
)
@pytest.mark.parametrize("path", ["/predict", "/login", "/images", "/console/predict/madcompany"])
def test_half_a_form_is_none(client: FlaskClient, path: str, boundary: str, body: bytes) -> None:
    """What a form has lost is not taken for what was never sent."""
    media_type = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    response = client.post(path, data=body, content_type=media_type)
    assert response.status_code in {400, 405}
    if response.status_code == 400:
        assert response.json is not None
        assert response.json["type"] == "/problems/body-malformed"


def test_bytes_that_are_not_there(client: FlaskClient) -> None:
    """Whoever asks for bytes behind a file's end is told how many there are (RFC 9110, 15.5.17)."""
    with client.get("/static/console.css") as whole:
        size = len(whole.data)
    with client.get("/static/console.css", headers={"Range": f"bytes={size}-"}) as response:
        assert response.status_code == 416
        assert response.headers["Content-Range"] == f"bytes */{size}"


def test_a_raw_body_that_is_called_a_form(client: FlaskClient) -> None:
    """What curl calls a form, unless it is told otherwise, may be an image all the same."""
    response = client.post("/images", data=png(), content_type="application/x-www-form-urlencoded")
    assert response.status_code == 201


def test_the_wait_for_a_thread_counts(app: Flask, client: FlaskClient) -> None:
    """A request's duration begins where the door says that it had arrived."""
    an_hour_ago = time.perf_counter() - 3_600
    client.get("/status", environ_overrides={"stopgap.arrived": an_hour_ago})
    line = app.extensions[NAME].metrics._times["stopgap_requests_total", "/status", "GET", "200"]
    assert 3_600 <= line.counts()[-1] / 1_000_000 < 3_700


def test_a_fault_of_ours_is_told_without_its_words(app: Flask, client: FlaskClient) -> None:
    """What nobody foresaw is a 500 in our shape; only the log knows more."""

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("the secret is swordfish")

    response = client.get("/broken")
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert "swordfish" not in response.text


@pytest.mark.parametrize("path", ["/", "/status", "/nope", "/predict/x", "/static/console.css"])
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    """Pages, answers, errors and files are what they say they are, and carry a request id."""
    with client.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(headers["X-Request-Id"]) == 36


@pytest.mark.parametrize(
    "path",
    ["/", "/nope", "/docs", "/problems/page-not-found", "/console/predict", "/console/images"],
)
def test_every_page_is_guarded(client: FlaskClient, path: str) -> None:
    """No page can be framed, and none runs or loads what is not this server's."""
    policy = client.get(path, headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_second_login_ends_the_first_session(client: FlaskClient) -> None:
    """A browser that signs in again leaves no session behind."""
    client.post("/login", json={"username": "a", "password": "b"})
    first = client.get_cookie("stopgap_session")
    client.post("/login", json={"username": "a", "password": "b"})
    assert first is not None
    client.set_cookie("stopgap_session", first.value)
    assert client.get("/images").status_code == 401


def test_closed_predictions_need_a_session(tmp_path: Path) -> None:
    """Where predictions are closed, a session or a key opens them."""
    app = wiring.create_app(Settings(data=tmp_path, predictions="signed-in"))
    client = app.test_client()
    assert client.get("/predict/5/january/100").status_code == 401
    client.post("/login", json={"username": "orhan", "password": "12345"})
    assert client.get("/predict/5/january/100").status_code == 200
    app.extensions[NAME].close()
