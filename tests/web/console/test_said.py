"""What has just been said is shown once, and nobody else can have a page say anything."""

import pytest
from tests.web.console.conftest import House

from stopgap.web.console.said import COOKIE, SENTENCES


def test_a_sentence_is_shown_once(house: House) -> None:
    """The page after a form tells what was done, and the page after that does not."""
    person = house.client("ann")
    person.client.set_cookie(COOKIE, "key-revoked")
    assert SENTENCES["key-revoked"] in person.get("/console/keys").text
    assert SENTENCES["key-revoked"] not in person.get("/console/keys").text


@pytest.mark.parametrize("words", ["", "<b>You have won</b>", "key-revoked ", "x" * 3000])
def test_nothing_else_is_said(house: House, words: str) -> None:
    """A cookie that is none of ours is not repeated."""
    person = house.client("ann")
    person.client.set_cookie(COOKIE, words)
    page = person.get("/console/keys").text
    assert 'class="notice' not in page
