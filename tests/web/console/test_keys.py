"""Keys: made and shown once, revoked at once, one's own alone."""

import re
import shlex
from html import unescape

import pytest
from tests.web.console.conftest import House

from stopgap.accounts.keys import KEYS_MAX

KEY = re.compile(r"sk_[0-9a-f]{16}_[0-9a-f]{64}")


def test_a_key_is_shown_once(house: House) -> None:
    """A new key is on the page that answers its form, works at once, and is on no page after."""
    person = house.client("ann")
    made = person.post("/console/keys", label=" nightly <report> ")
    assert made.status_code == 201
    (key,) = set(KEY.findall(made.text))
    assert house.client().get("/images", Authorization=f"Bearer {key}").status_code == 200
    page = person.get("/console/keys").text
    assert not KEY.search(page)
    assert "nightly &lt;report&gt;" in page
    assert "never" not in page  # it has been used
    assert key[:9] in page


def test_the_command_for_a_new_key(house: House) -> None:
    """The command that tries a key is one to the shell, whatever the contract's address has."""
    page = house.client("ann").post("/console/keys", label="x").text
    ((command,),) = [re.findall(r"curl -H [^<]*", page)]
    curl, option, header, address, *more = shlex.split(unescape(command))
    assert (curl, option, more) == ("curl", "-H", [])
    assert KEY.search(header)
    assert address.startswith("http://localhost/predict")
    assert "'http" in unescape(command)


def test_a_key_is_revoked(house: House) -> None:
    """A revoked key is refused, which the next page says, once."""
    person = house.client("ann")
    key, secret = house.parts.keys.create("ann")
    answer = person.post(f"/console/keys/{key.id}/revoke")
    assert (answer.status_code, answer.location) == (303, "/console/keys")
    assert "Revoked." in person.get("/console/keys").text
    assert "Revoked." not in person.get("/console/keys").text
    assert house.client().get("/images", Authorization=f"Bearer {secret}").status_code == 401


def test_a_proxy_that_asks_for_a_password_of_its_own(house: House) -> None:
    """What a browser sends for a proxy is no API key: its session may make keys all the same."""
    ann = house.client("ann")
    headers = {"Origin": "http://localhost", "Accept": "text/html"}
    for scheme, status in (("Basic eDp5", 201), ("Bearer x", 401)):
        answer = ann.client.post(
            "/console/keys", data={"label": "x"}, headers=headers | {"Authorization": scheme}
        )
        assert answer.status_code == status
    _, key = house.parts.keys.create("ann")
    answer = ann.client.post(
        "/console/keys", data={"label": "x"}, headers=headers | {"Authorization": f"bearer {key}"}
    )
    assert answer.status_code == 403


def test_a_label_that_cannot_be(house: House) -> None:
    """What is wrong with a label stands beside it, and no key is made."""
    person = house.client("ann")
    answer = person.post("/console/keys", label="x" * 101)
    assert answer.status_code == 422
    assert 'id="error-label"' in answer.text
    assert f'value="{"x" * 101}"' in answer.text
    assert house.parts.keys.list("ann") == []


def test_so_many_keys(house: House) -> None:
    """An account has so many keys and no more; the page of all of them stays small."""
    for _ in range(KEYS_MAX):
        house.parts.keys.create("ann", "x" * 100)
    person = house.client("ann")
    answer = person.post("/console/keys", label="another")
    assert (answer.status_code, 'id="error-label"' in answer.text) == (429, True)
    assert len(person.get("/console/keys").data) < 70_000


def test_a_guest_has_none(house: House) -> None:
    """A guest is told why there are no keys, and cannot make one for an account of that name."""
    guest = house.client("later")
    house.parts.accounts.add("later", "a password")
    _, secret = house.parts.keys.create("later")
    page = guest.get("/console/keys")
    assert page.status_code == 200
    assert "Keys belong to accounts" in page.text
    assert secret[:9] not in page.text
    assert guest.post("/console/keys", label="mine").status_code == 403
    assert len(house.parts.keys.list("later")) == 1


@pytest.mark.parametrize(
    "address",
    ["/console/keys", "/console/account/password", "/console/account/sessions/end-others"]
    + ["/console/accounts", "/console/accounts/reset"],
)
def test_a_key_makes_no_key(house: House, address: str) -> None:
    """Who has found a key can neither make another nor lock anybody out."""
    _, secret = house.parts.keys.create("root")
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/html"}
    form = {"name": "ann", "current": "violet teapots hum", "new": "mine"}
    answer = house.app.test_client().post(address, data=form, headers=headers)
    assert answer.status_code == 403
    assert "API key" in answer.text
