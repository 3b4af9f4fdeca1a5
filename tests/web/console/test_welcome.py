"""The first page: it says how the service is."""

import json
import re
from contextlib import closing
from html import unescape
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.databases import PostgresqlServer
from tests.web.console.conftest import PAGE, PASSWORD, Build, House

from stopgap.contracts.madcompany import contract
from stopgap.contracts.values import breach
from stopgap.settings import Settings
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app


def test_how_the_service_is(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """The page says whether all is there; without the database it still says what to do."""
    name = postgresql.create()
    app = create_app(Settings(data=tmp_path, database_url=postgresql.url(name)))
    with closing(app.extensions[NAME]):
        client = app.test_client()
        assert "The service is up" in client.get("/").text
        postgresql.drop(name)
        page = client.get("/")
        form = client.get("/console/keys", headers=PAGE)
    assert (form.status_code, "12345" in form.text) == (401, False)
    assert page.status_code == 200
    assert "Predictions are up, the database is away" in page.text
    assert "Hello, world!" in page.text


def test_the_demos_password_is_told_while_it_opens_something(house: House) -> None:
    """Where somebody may sign in with it, and no longer once an operator has seen to that."""
    guest, accounts = house.client(), house.parts.accounts
    guest.post("/login", username="somebody", password="x")

    def told() -> set[bool]:
        asked = ((house.client(), "/"), (house.client(), "/console/keys"), (guest, "/console/keys"))
        return {"12345" in who.get(path).text for who, path in asked}

    for change, is_told in (
        (lambda: None, True),
        (lambda: accounts.disable("orhan"), False),
        (lambda: accounts.enable("orhan"), True),
        (lambda: accounts.set_password("orhan", PASSWORD), False),
    ):
        change()
        assert told() == {is_told}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("path", ["/", "/console/keys"])
def test_staying_signed_in_needs_https(build: Build, path: str, *, secure: bool) -> None:
    """Where the browser drops the session's cookie, the form to sign in says so, and else not."""
    house = build(secure_cookies=secure, trusted_proxies=(ip_network("127.0.0.1"),))

    def is_told(**headers: str) -> bool:
        return "nobody signed in over plain HTTP" in house.client().get(path, **headers).text

    assert is_told() == secure
    assert not is_told(X_Forwarded_Proto="https")
    assert not is_told(Sec_Fetch_Site="none")


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_calls_bring_a_key_where_one_is_needed(build: Build, path: str, *, closed: bool) -> None:
    """What is copied works: where predictions and images need a key, it is in each call of them."""
    predictions = "signed-in" if closed else "open"
    page = build(guests=not closed, predictions=predictions).client().get(path).text
    copied = unescape(" ".join(re.findall("<code data-copied>(curl [^<]*)<", page)))
    calls = [each for each in copied.split("curl ") if re.search(" -F |/predict", each)]
    assert len(calls) == 4
    keys = [' -H "Authorization: Bearer $STOPGAP_KEY"' in each for each in calls]
    assert keys == [closed] * len(calls)


def test_what_each_call_answers(house: House) -> None:
    """Below each call stands what it answers, in the very words, or a value like those to come."""
    client = house.client().client
    page = unescape(client.get("/").text)
    assert page.count("<dt>") == page.count("<dd")
    status, login, *predictions, image = re.findall("Answers <code>([^<]*)</code>", page)
    assert status == client.get("/status").text
    assert login == client.post("/login", json={"username": "me", "password": "secret"}).text
    assert [breach(contract.output_kind, int(each)) for each in predictions] == [None] * 3
    assert page.count(", an integer from 2000 to 5000") == 1
    assert image == "/images/…"


def test_an_object_is_shown_as_it_is_sent(build: Build) -> None:
    """What a call answers with an object is written as the server writes it, with no spaces."""
    client = build(contracts=("examples/delivery.py:contract",)).client().client
    page = unescape(client.get("/").text)
    shown = re.findall("Answers <code>({[^<]*)</code>", page)
    (address,) = re.findall(r"<code data-copied>curl 'http://[^/]*(/[^'?]*)'", page)
    sent = client.get(address).text
    assert len(shown) == 3
    for text in (sent, *shown):
        assert text == json.dumps(json.loads(text), separators=(",", ":"))
