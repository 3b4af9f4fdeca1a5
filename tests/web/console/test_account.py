"""One's own account: the password is changed with the old one, sessions end one by one."""

import re

import pytest
from tests.web.console.conftest import PASSWORD, Build, House

NEW = "eleven green kettles"


def test_a_password_is_changed(house: House) -> None:
    """The new password counts, this browser stays signed in, and all others are signed out."""
    person, other = house.client("ann"), house.client("ann")
    answer = person.post("/console/account/password", current=PASSWORD, new=NEW)
    assert (answer.status_code, answer.location) == (303, "/console/account")
    assert "Changed." in person.get("/console/account").text
    assert other.get("/console/account").status_code == 401
    assert house.client().post("/login", username="ann", password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "status", "field"),
    [
        ("wrong", NEW, 401, "current"),
        ("", NEW, 401, "current"),
        (PASSWORD, "short", 422, "new"),
        (PASSWORD, "x" * 1_025, 422, "new"),
    ],
)
def test_a_password_that_is_refused(
    build: Build, current: str, new: str, status: int, field: str
) -> None:
    """What is wrong stands beside its field; no password is ever sent back."""
    house = build(password_rules=True)
    person = house.client("ann")
    answer = person.post("/console/account/password", current=current, new=new)
    assert answer.status_code == status
    assert re.findall(r'id="error-(\w+)"', answer.text) == [field]
    assert NEW not in answer.text
    assert PASSWORD not in answer.text
    assert person.get("/console/account").status_code == 200


def test_a_shared_account(house: House) -> None:
    """The demo's password stays, which is told kindly, and before anybody has typed one."""
    person = house.client()
    person.post("/login", username="orhan", password="12345")
    page = person.get("/console/account").text
    assert 'name="current"' not in page
    assert "the next visitor needs it too" in page
    answer = person.post("/console/account/password", current="12345", new=NEW)
    assert answer.status_code == 403


def test_sessions_end_one_by_one(house: House) -> None:
    """Each other session has a button that ends it, and it alone."""
    person, second, third = (house.client("ann") for _ in range(3))
    page = person.get("/console/account").text
    ends = re.findall(r'action="(/console/account/sessions/[0-9a-f]{16}/end)"', page)
    assert len(ends) == 2
    assert page.count("this one") == 1
    assert house.client("bob").post(ends[0]).status_code == 404
    assert person.post(ends[0]).status_code == 303
    left = [other.get("/console/account").status_code for other in (person, second, third)]
    assert sorted(left) == [200, 200, 401]
    assert person.post(ends[0]).status_code == 404


def test_all_other_sessions_end(house: House) -> None:
    """All others end at once; this one, and other accounts', go on."""
    person, second, bob = house.client("ann"), house.client("ann"), house.client("bob")
    assert person.post("/console/account/sessions/end-others").status_code == 303
    assert "signed in here alone" in person.get("/console/account").text
    assert second.get("/console/account").status_code == 401
    assert bob.get("/console/account").status_code == 200


def test_many_sessions(house: House) -> None:
    """Of an account that many share, the page shows this session and the newest others."""
    first = house.client("ann")
    for _ in range(50):
        house.parts.sign_in.sign_in("ann", PASSWORD, "192.0.2.1")
    page = first.get("/console/account")
    assert page.text.count("this one") == 1
    assert "And 11 older ones" in page.text
    assert len(page.data) < 70_000


def test_a_guest(house: House) -> None:
    """A guest is told what there is, and has nothing to change."""
    guest = house.client("somebody")
    assert "You are here as a guest" in guest.get("/console/account").text
    assert guest.post("/console/account/password", current="", new=NEW).status_code == 403
    assert guest.post("/console/account/sessions/end-others").status_code == 403
