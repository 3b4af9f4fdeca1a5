"""The first page, as a person's browser meets it."""

from urllib.parse import urlencode

import pytest
from tests.acceptance.client import BROWSER, Client, File
from tests.acceptance.forms import forms, links
from tests.acceptance.predictions import assert_prediction
from tests.acceptance.server import Server, running
from tests.pictures import png


@pytest.fixture
def browser(demo: Server) -> Client:
    """Open a browser."""
    return demo.client(**BROWSER)


def test_the_first_page(browser: Client) -> None:
    """`GET /` greets the world, and shows the sign-in form and the routes of the mail."""
    answer = browser.get("/")
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert "Hello, world!" in answer.text
    found = forms(answer.text)
    assert list(found) == ["/login"]
    assert found["/login"].method == "post"
    assert set(found["/login"].fields) == {"username", "password"}
    assert "orhan" in answer.text
    assert "12345" in answer.text
    for route in (
        "/status",
        "/login",
        "/predict/&lt;seller_available&gt;/&lt;month&gt;/&lt;customer_visiting_website&gt;",
        "/predict?seller_available=&amp;month=&amp;customer_visiting_website=",
        "/images",
    ):
        assert route in answer.text


def test_signing_in_by_the_form(browser: Client) -> None:
    """Who signs in by the form finds the sentence and the forms to use."""
    sign_in = forms(browser.get("/").text)["/login"]
    values = sign_in.fields | {"username": "orhan", "password": "12345"}
    browser.cookie = browser.post_form(sign_in.action, values).session_id
    page = browser.get("/").text
    assert "Login success for user orhan with password of length: 5!" in page
    assert set(forms(page)) == {"/logout", "/predict", "/images"}


def test_predicting_by_the_form(browser: Client) -> None:
    """The prediction form, sent as it stands, gets a prediction."""
    browser.sign_in("ann", "abc")
    form = forms(browser.get("/").text)["/predict"]
    assert form.method == "get"
    assert set(form.fields) == {"seller_available", "month", "customer_visiting_website"}
    assert_prediction(browser.get(f"{form.action}?{urlencode(form.fields)}"))


def test_uploading_by_the_form(browser: Client) -> None:
    """The upload form brings an image, which the first page then lists."""
    browser.sign_in("ann", "abc")
    form = forms(browser.get("/").text)["/images"]
    assert (form.method, form.encoding) == ("post", "multipart/form-data")
    assert set(form.fields) == {"image", "stopgap-account"}
    values = form.fields | {"image": File(content=png())}
    answer = browser.post_multipart(form.action, values)
    assert (answer.status, answer.header("Location")) == (303, "/")
    (path,) = [link for link in links(browser.get("/").text) if link.startswith("/images/")]
    assert browser.get(path).status == 200


def test_every_link_of_the_page_leads_somewhere(browser: Client) -> None:
    """No link of the first page is dead, nor does one lead to a part that is not there."""
    for link in links(browser.get("/").text):
        address, _, part = link.partition("#")
        page = browser.get(address or "/")
        assert page.status == 200, link
        assert not part or f'id="{part}"' in page.text, link


def test_the_link_to_the_source(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page links to its source code, where that has been told."""
    source = "https://code.example/madcompany"
    with running(tmp_path_factory.mktemp("source"), {"STOPGAP_SOURCE_URL": source}) as server:
        assert source in links(server.client().get("/").text)


def test_without_a_source(browser: Client) -> None:
    """Where nobody has told where the source is, the page says how to."""
    assert "STOPGAP_SOURCE_URL" in browser.get("/").text


def test_the_reference(browser: Client) -> None:
    """The API reference has every route of the mail, and asks no other host for anything."""
    page = browser.get("/docs")
    assert page.status == 200
    assert "https://" not in page.text
    for route in ("/status", "/login", "/predict", "/images"):
        assert f"</b> {route}</code>" in page.text
