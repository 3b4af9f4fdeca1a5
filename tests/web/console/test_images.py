"""The images' pages: each is its owner's alone."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from tests.pictures import png

from stopgap.accounts import throttling
from stopgap.accounts.store.tables import SESSIONS
from stopgap.settings import Settings
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """Build the demo's application."""
    app = create_app(Settings(data=tmp_path))
    yield app
    app.extensions[NAME].close()


def guest(app: Flask, name: str) -> FlaskClient:
    """Sign in as a guest."""
    client = app.test_client()
    client.post("/login", data={"username": name, "password": "a"})
    return client


@pytest.mark.parametrize("owner", ["jane", "orhan"])
def test_another_ones_image(app: Flask, owner: str) -> None:
    """To others an image's page and its deletion are 404, though a guest's path can be read."""
    mine, other = app.test_client(), guest(app, "mallory")
    mine.post("/login", data={"username": owner, "password": "12345"})
    path = mine.post("/images", data=png()).text
    page = f"/console{path}"
    assert mine.get(page).status_code == 200
    assert other.get(page).status_code == 404
    assert other.post(f"{page}/delete").status_code == 404
    assert path not in other.get(f"/console/images?kept={path.rpartition('/')[2]}").text
    assert app.test_client().get(page).status_code == 401
    assert mine.post(f"{page}/delete").status_code == 303
    assert mine.get(path).status_code == 404


def test_a_small_copy_is_asked_for_again(app: Flask) -> None:
    """A browser asks before it shows a small copy again, and then gets nothing twice, or 404."""
    mine = app.test_client()
    mine.post("/login", data={"username": "orhan", "password": "12345"})
    path = f"/console{mine.post('/images', data=png(size=(600, 400))).text}/small"
    first = mine.get(path)
    assert (first.status_code, first.mimetype) == (200, "image/webp")
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = mine.get(path, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert guest(app, "mallory").get(path, headers=known).status_code == 404


def test_an_account_that_is_ended_meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an account uploads while it is disabled or deleted is not kept."""
    parts, client = app.extensions[NAME], app.test_client()
    parts.accounts.add("ann", "a password")
    ann = parts.accounts.get("ann").id
    client.post("/login", data={"username": "ann", "password": "a password"})
    decode = parts.images._decoder.decode

    def slowly(content: bytes) -> object:
        parts.accounts.disable("ann")
        return decode(content)

    monkeypatch.setattr(parts.images._decoder, "decode", slowly)
    answer = client.post("/images", data=png())
    assert answer.status_code == 401
    assert "ended meanwhile" in answer.text
    assert parts.images.list(ann) == []


def test_a_form_made_for_another(app: Flask) -> None:
    """What a page sends for an account is kept for that account, or not at all."""
    orhan, jane, nobody = app.test_client(), guest(app, "jane"), app.test_client()
    orhan.post("/login", data={"username": "orhan", "password": "12345"})
    page = orhan.get("/console/images").text
    account = re.findall(r'name="stopgap-account" value="([^"]+)"', page)
    assert len(account) == 1
    assert 'name="stopgap-account" value=""' in jane.get("/console/images").text
    for client, status in ((jane, 401), (nobody, 401), (orhan, 201)):
        form = {"stopgap-account": account[0], "image": (BytesIO(png()), "a.png")}
        assert client.post("/images", data=form).status_code == status
    assert nobody.get("/console/images").text.count("data-view") == 0


COOKIE = "stopgap_session"


def with_ended_session(app: Flask) -> FlaskClient:
    """Make a client that still sends the cookie of a session that has ended."""
    client = app.test_client()
    client.post("/login", data={"username": "orhan", "password": "12345"})
    known = client.get_cookie(COOKIE)
    assert known is not None
    client.post("/logout")
    client.set_cookie(COOKIE, known.value)
    return client


@pytest.mark.parametrize("path", ["/images", "/console/images"])
def test_a_program_whose_session_has_ended(app: Flask, path: str) -> None:
    """An upload that may be meant to be an account's is kept for no guest; the next one is."""
    client = with_ended_session(app)
    refused = client.post(path, data={"image": (BytesIO(png()), "a.png")})
    assert refused.status_code == 401
    assert refused.json is not None
    assert "Your session has ended" in refused.json["detail"]
    assert client.get_cookie(COOKIE) is None
    assert client.post("/images", data=png()).status_code == 201
    assert len(client.get("/images").json or []) == 1


@pytest.mark.parametrize("path", ["/images", "/console/images"])
def test_a_page_made_for_no_account(app: Flask, path: str) -> None:
    """A guest's page works whatever cookie is left, of a session before or of another server."""
    client = with_ended_session(app)
    page = client.get("/console/images").text
    account = re.findall(r'name="(stopgap-account)" value="([^"]*)"', page)
    form = dict(account) | {"image": (BytesIO(png()), "a.png")}
    assert client.post(path, data=form, headers={"Accept": "text/html"}).status_code == 303
    assert len(client.get("/images").json or []) == 1


@pytest.fixture
def one_guest_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an address bring one guest."""
    monkeypatch.setattr(throttling, "GUESTS", 1)


@pytest.mark.usefixtures("one_guest_an_hour")
def test_a_strangers_bad_files(app: Flask) -> None:
    """Files that are refused begin no guest's session, so that they lock no address out."""
    client = app.test_client()
    for _ in range(3):
        answer = client.post("/images", data=b"no image")
        assert (answer.status_code, client.get_cookie(COOKIE)) == (415, None)
    assert client.post("/images", data=png()).status_code == 201
    assert app.test_client().post("/images", data=png()).status_code == 429
    with app.extensions[NAME].database.read() as connection:
        assert connection.execute(select(func.count()).select_from(SESSIONS)).scalar_one() == 1


def test_the_first_page_tells_the_path(app: Flask) -> None:
    """After an upload by the first page's form, its whole path stands there, to be copied."""
    client = guest(app, "jane")
    form = {"image": (BytesIO(png()), "a.png")}
    answer = client.post("/images", data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert re.search(r"data-copied>/images/[0-9a-f]{32,}\.png<", client.get(answer.location).text)


def test_from_another_site(app: Flask) -> None:
    """No other site's page can have an image deleted."""
    client = guest(app, "jane")
    path = client.post("/images", data=png()).text
    answer = client.post(f"/console{path}/delete", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert client.get(path).status_code == 200
