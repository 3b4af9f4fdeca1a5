"""The mail's `POST /login`, byte for byte, and what a sign-in is worth."""

import re
from html import unescape
from typing import Literal

import pytest
from tests.acceptance.client import BROWSER, Answer, Client
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.server import Server

Way = Literal["json", "form", "multipart", "json in a form"]
WAYS: list[Way] = ["json", "form", "multipart", "json in a form"]


def send(client: Client, way: Way, values: dict[str, str]) -> Answer:
    """Send a login in one of the four ways."""
    if way == "json":
        return client.post_json("/login", values)
    if way == "form":
        return client.post_form("/login", values)
    if way == "multipart":
        return client.post_multipart("/login", values)
    return client.post_json("/login", values, content_type="application/x-www-form-urlencoded")


def sentence(name: str, length: int) -> bytes:
    """Write the mail's sentence."""
    return f"Login success for user {name} with password of length: {length}!".encode()


@pytest.mark.parametrize("keys", [("username", "password"), ("user", "pass")])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "password"), [("orhan", "12345"), ("Marie Curie", "p&ss =+%41")])
def test_login(client: Client, way: Way, keys: tuple[str, str], name: str, password: str) -> None:
    """An account and a guest are greeted in the mail's words, however they send their names."""
    answer = send(client, way, {keys[0]: name, keys[1]: password})
    assert (answer.status, answer.body) == (200, sentence(name, len(password)))
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.session_id


@pytest.mark.parametrize("target", ["/login", "/login/"])
def test_what_else_a_form_sends_is_left_alone(client: Client, target: str) -> None:
    """Further keys of a login are ignored."""
    values = {"username": "ann", "password": "abc", "remember": "on"}
    assert client.post_form(target, values).body == sentence("ann", 3)


@pytest.mark.parametrize(
    ("password", "length"),
    [("🦉", 1), ("pässwörd", 8), ("e\u0301", 2), (" a ", 3), ("12345\n", 6), ("x" * 1024, 1024)],
)
@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_counted_in_code_points(
    client: Client, way: Way, password: str, length: int
) -> None:
    """The length told is the password's as it was sent, in code points."""
    answer = send(client, way, {"username": "ann", "password": password})
    assert (answer.status, answer.body) == (200, sentence("ann", length))


@pytest.mark.parametrize("name", ["Зоя", "O'Brien & <b>Søn</b>", "李小龍 🐉"])
def test_a_name_is_repeated_as_it_was_sent(client: Client, name: str) -> None:
    """A guest may have any name; the page shows it without being tricked by it."""
    assert client.sign_in(name, "abc").body == sentence(name, 3)
    page = client.get("/", **BROWSER).text
    assert "<b>Søn" not in page
    assert sentence(name, 3).decode() in unescape(page)


def test_a_wrong_password(client: Client) -> None:
    """An account needs its password, whatever the demo does with other names."""
    for name in ("orhan", "ORHAN"):
        answer = client.post_json("/login", {"username": name, "password": "123456"})
        document = assert_problem(answer, 401)
        assert answer.header("Set-Cookie") is None
        assert "123456" not in str(document)


def test_the_cookie_of_a_guest(client: Client) -> None:
    """A guest's session lasts 24 hours; scripts and other sites' pages cannot use it."""
    cookie = client.sign_in("ann", "abc").header("Set-Cookie") or ""
    value, *attributes = cookie.split("; ")
    assert re.fullmatch(r"stopgap_session=[A-Za-z0-9_-]{40,}", value)
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} <= set(attributes)
    assert "Secure" not in attributes  # the request came by plain HTTP
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_a_new_id_at_each_login(client: Client) -> None:
    """Nobody can hand a victim a session id to sign in with."""
    first = client.sign_in("orhan", "12345").session_id
    second = client.sign_in("orhan", "12345").session_id
    assert first
    assert second
    assert first != second


@pytest.mark.parametrize(("name", "password"), [("orhan", "12345"), ("ann", "abc")])
@pytest.mark.parametrize("way", ["form", "multipart"])
def test_a_browsers_form(client: Client, way: Way, name: str, password: str) -> None:
    """A browser's own form is led to the first page, which shows the sentence."""
    client.headers |= BROWSER
    answer = send(client, way, {"username": name, "password": password})
    assert (answer.status, answer.header("Location")) == (303, "/")
    client.cookie = answer.session_id
    page = client.get("/")
    assert page.status == 200
    assert sentence(name, len(password)).decode() in page.text


def test_get_login(client: Client) -> None:
    """`GET /login` leads to the first page, where the form is."""
    answer = client.get("/login")
    assert (answer.status, answer.header("Location")) == (303, "/")


def test_logout(client: Client) -> None:
    """After a logout the first page has the sign-in form again, and the cookie is dropped."""
    client.sign_in("orhan", "12345")
    answer = client.send("POST", "/logout", b"")
    assert answer.status == 200
    assert "Max-Age=0" in (answer.header("Set-Cookie") or "")
    assert 'action="/login"' in client.get("/").text


def test_a_browser_logs_out(client: Client) -> None:
    """A browser's own form is led to the first page."""
    client.headers |= BROWSER
    client.cookie = client.post_form("/login", {"username": "ann", "password": "x"}).session_id
    answer = client.post_form("/logout", {})
    assert (answer.status, answer.header("Location")) == (303, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("target", ["/login", "/logout", "/images", "/predict"])
def test_another_sites_page(client: Client, target: str, headers: dict[str, str]) -> None:
    """What another site's page makes a browser send is refused, the sign-in included."""
    client.headers |= headers
    answer = client.post_json(target, {"username": "ann", "password": "abc"})
    assert_problem(answer, 403)
    assert answer.header("Set-Cookie") is None


def test_this_sites_page(demo: Server, client: Client) -> None:
    """What this site's page sends passes, in browsers old and new."""
    values = {"username": "ann", "password": "abc"}
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": demo.url}):
        client.headers = headers
        assert client.post_form("/login", values).status == 200


def test_production_knows_no_guests_and_no_orhan(production: Server) -> None:
    """In production an unknown name is refused, and the demo account does not exist."""
    for name in ("ann", "orhan"):
        answer = production.client().post_json("/login", {"username": name, "password": "12345"})
        assert_problem(answer, 401)
        assert answer.header("Set-Cookie") is None
