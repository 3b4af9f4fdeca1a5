"""Accounts, for operators: added, reset, disabled, enabled, signed out."""

import re

import pytest
from tests.web.console.conftest import PASSWORD, House

MADE_UP = re.compile(r"<code data-copied>([0-9a-f]{36})</code>")


def sign_in(house: House, name: str, password: str) -> int:
    """Try to sign in to an account; tell the status."""
    return house.client().post("/login", username=name, password=password).status_code


def test_an_account_is_added(house: House) -> None:
    """A new account's password is on the page that answers the form, and on no other."""
    operator = house.client("root")
    answer = operator.post("/console/accounts", name="cleo", role="operator")
    assert answer.status_code == 201
    (password,) = MADE_UP.findall(answer.text)
    assert not MADE_UP.search(operator.get("/console/accounts").text)
    assert sign_in(house, "cleo", password) == 303
    assert house.parts.accounts.get("cleo").role == "operator"


@pytest.mark.parametrize(
    ("name", "role", "status"),
    [("ANN", "client", 409), ("", "client", 422), ("a\nb", "operator", 422), ("x" * 151, "", 422)],
)
def test_an_account_that_cannot_be(house: House, name: str, role: str, status: int) -> None:
    """What is wrong with a name stands beside it, and the form keeps what was sent."""
    before = house.parts.accounts.list()
    answer = house.client("root").post("/console/accounts", name=name, role=role)
    assert (answer.status_code, 'id="error-name"' in answer.text) == (status, True)
    assert role != "operator" or '<option value="operator" selected>' in answer.text
    assert house.parts.accounts.list() == before


def test_no_role_but_those_that_are_offered(house: House) -> None:
    """A role that the form does not offer is the least that there is."""
    house.client("root").post("/console/accounts", name="cleo", role="guest")
    assert house.parts.accounts.get("cleo").role == "client"


def test_what_becomes_of_an_account(house: House) -> None:
    """An account is signed out, disabled, enabled and reset, each told once."""
    operator, ann = house.client("root"), house.client("ann")
    for action, words, status in (
        ("sign-out", "Signed out everywhere.", 303),
        ("disable", "Disabled.", 401),
        ("enable", "Enabled.", 303),
    ):
        answer = operator.post(f"/console/accounts/{action}", name="ann")
        assert (answer.status_code, answer.location) == (303, "/console/accounts")
        assert words in operator.get("/console/accounts").text
        assert ann.get("/console/history").status_code == 401
        assert sign_in(house, "ann", PASSWORD) == status
    answer = operator.post("/console/accounts/reset", name="ann")
    (password,) = MADE_UP.findall(answer.text)
    assert sign_in(house, "ann", PASSWORD) == 401
    assert sign_in(house, "ann", password) == 303


def test_what_is_refused(house: House) -> None:
    """Nobody disables the own account, resets a shared one, or one that is not there."""
    operator = house.client("root")
    for action, name, status in (
        ("disable", "root", 409),
        ("reset", "orhan", 403),
        ("reset", "nobody", 404),
        ("enable", "", 422),
        ("explode", "ann", 404),
    ):
        assert operator.post(f"/console/accounts/{action}", name=name).status_code == status
    assert sign_in(house, "orhan", "12345") == 303


def test_a_shared_account_that_has_become_somebodys(house: House) -> None:
    """With a password of its own it is offered what others are, and no longer said to be shared."""
    operator, shared = house.client("root"), '<span class="badge">shared</span>'
    resets = operator.get("/console/accounts").text.count('action="/console/accounts/reset"')
    assert shared in operator.get("/console/accounts").text
    house.parts.accounts.set_password("orhan", PASSWORD)
    page = operator.get("/console/accounts").text
    assert page.count('action="/console/accounts/reset"') == resets + 1
    assert shared not in page
    assert operator.post("/console/accounts/reset", name="orhan").status_code == 200


def test_very_many_accounts(house: House) -> None:
    """Accounts are on pages of 40, each small; a page that begins nowhere begins at the first."""
    for number in range(80):
        house.parts.accounts._add(
            f"<b>{number:03} ' & ?", "x", house.parts.accounts.get("ann").role, fixed_password=False
        )
    operator, address, names = house.client("root"), "/console/accounts", set[str]()
    for _ in range(3):
        page = operator.get(address)
        assert len(page.data) < 90_000
        assert "<b>" not in page.text
        names |= set(re.findall(r'name="name" value="([^"]+)"', page.text))
        more = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert len(names) == 83  # all but the operator's own
    assert operator.get("/console/accounts?after=%00").status_code == 200
