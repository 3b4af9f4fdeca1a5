"""The figures of a release's page: fresh as long as somebody looks, and said where they are not."""

from playwright.sync_api import Route, expect
from tests.browser.handing_in import SOUND
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

PAGE = f"/console/releases/madcompany/{SOUND}"
LOOKS = 8_000
"""Milliseconds within which a page has asked several times."""


def test_they_stay_fresh(visitor: Visitor) -> None:
    """Neither a server that is away for a moment nor a click on a figure ends it."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(PAGE)
    refused = list[Route]()

    def away(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=503, body="")

    visitor.page.route(f"**{PAGE}", away, times=1)
    visitor.page.locator("[data-fresh=lately] td").first.click()
    part = visitor.page.locator("[data-fresh=lately]")
    visitor.page.evaluate("document.querySelector('[data-fresh=lately]').replaceChildren()")
    expect(part).to_be_empty()
    expect(part).to_contain_text("release 2", timeout=LOOKS)
    assert len(refused) == 1
    visitor.complaints.clear()  # the browser's own, about the status


def test_their_end_is_told(visitor: Visitor) -> None:
    """Who is signed out meanwhile is told that what is shown stays as it is."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(PAGE)
    visitor.context.clear_cookies()
    expect(visitor.page.locator("main .notice.bad")).to_contain_text(
        "not fresh any more", timeout=LOOKS
    )
    expect(visitor.page.locator("#announcement")).to_contain_text("not fresh any more")
    visitor.complaints.clear()  # the browser's own, about the status
