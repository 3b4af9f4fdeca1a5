"""The frame around each page: the header shows what one may see; it never breaks the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from stopgap.settings import Settings
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app

HTML = {"Accept": "text/html"}


def links(page: str) -> set[str]:
    """Find the header's links."""
    found = re.search(r'<nav aria-label="Main">.*?</nav>', page, re.DOTALL)
    assert found
    return set(re.findall(r">(\w+)</a>", found[0]))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    """Call the demo's application."""
    app = create_app(Settings(data=tmp_path))
    yield app.test_client()
    app.extensions[NAME].close()


def test_a_stranger_sees_what_is_open(client: FlaskClient) -> None:
    """Who has not signed in sees the pages that are open to all."""
    assert links(client.get("/", headers=HTML).text) == {"Predict", "Images"}


def test_a_closed_house_shows_no_doors(tmp_path: Path) -> None:
    """Where nothing is open, a stranger's header has no links; a page says to sign in."""
    settings = Settings(data=tmp_path, predictions="signed-in", guests=False)
    app = create_app(settings)
    client = app.test_client()
    assert links(client.get("/", headers=HTML).text) == set()
    for page in ("/console/predict", "/console/images"):
        answer = client.get(page, headers=HTML)
        assert answer.status_code == 401
        assert 'id="sign-in"' in answer.text
    client.post("/login", data={"username": "orhan", "password": "12345"})
    page = client.get("/console/predict", headers=HTML).text
    assert "Authorization: Bearer $STOPGAP_KEY" in page
    app.extensions[NAME].close()


def test_a_refused_key_has_a_page(client: FlaskClient) -> None:
    """The page that refuses a key is itself whole."""
    answer = client.get("/images", headers=HTML | {"Authorization": "Bearer none"})
    assert answer.status_code == 401
    assert "Key refused" in answer.text


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colours(client: FlaskClient, theme: str) -> None:
    """A chosen theme is kept; a made-up one is none, and no way into the page."""
    client.post("/console/appearance", data={"theme": theme})
    assert f'data-theme="{theme}"' in client.get("/").text
    client.post("/console/appearance", data={"theme": "system"})
    assert "data-theme=" not in client.get("/").text
    client.set_cookie("stopgap_theme", 'x" onload="1')
    assert "onload" not in client.get("/").text


def test_who_has_to_sign_in_comes_back(client: FlaskClient) -> None:
    """A page that needs a session gives the form in its place, and the form leads back to it."""
    page = client.get("/console/history?answer=2010..", headers=HTML)
    assert page.status_code == 401
    assert "Sign in to see this page." in page.text
    assert "send <code>Authorization: Bearer</code> with a key" in page.text
    assert 'name="back" value="/console/history?answer=2010.."' in page.text
    form = {"username": "orhan", "password": "12345", "back": "/console/history?answer=2010.."}
    wrong = client.post("/login", data=form | {"password": "1"}, headers=HTML)
    assert 'name="back" value="/console/history?answer=2010.."' in wrong.text
    right = client.post("/login", data=form, headers=HTML)
    assert (right.status_code, right.location) == (303, form["back"])
    client.set_cookie("stopgap_session", "ended")
    assert "Your session has ended" in client.get("/console/keys", headers=HTML).text


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example/console/",
        "/console",
        "/console/\r\nX: y",
        "/console/é",
    ],
)
def test_nobody_is_led_elsewhere(client: FlaskClient, back: str) -> None:
    """Only a page of ours is gone back to."""
    form = {"username": "orhan", "password": "12345", "back": back}
    answer = client.post("/login", data=form, headers=HTML)
    assert (answer.status_code, answer.location) == (303, "/")
