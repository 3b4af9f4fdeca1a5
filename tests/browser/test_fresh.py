"""The figures of a release's page: fresh as long as somebody looks, and said where they are not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Route, expect
from tests.acceptance.desk import NAME, add, desk
from tests.acceptance.server import Server
from tests.browser.handing_in import SOUND
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

from stopgap.releases.releases import Releases

PAGE = f"/console/releases/{NAME}/{SOUND}"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """An operator who looks at the page of release 3, a canary beside a live release."""

    visitor: Visitor
    releases: Releases


@pytest.fixture
def watch(chromium: Browser, shop: Server) -> Iterator[Watch]:
    """Have a canary watched, on a server of its own."""
    with closing(Visitor(chromium, shop.url)) as visitor, desk(shop.data) as releases:
        releases.promote(NAME, add(releases, "Steady"), "ann")
        releases.promote(NAME, add(releases, "Steady"), "ann", stage="canary", percent=40)
        visitor.be(OPERATOR, PASSWORD)
        visitor.goto(f"/console/releases/{NAME}/3")
        yield Watch(visitor=visitor, releases=releases)
    shop.stop()


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
    expect(part).to_contain_text("release 2")
    assert len(refused) == 1
    visitor.complaints.clear()  # the browser's own, about the status


def test_what_was_typed_stays(visitor: Visitor) -> None:
    """Who has left a form half filled finds it so, however often the page has asked since."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(PAGE)
    page, way = visitor.page, visitor.page.locator("[data-fresh=way]")
    page.get_by_label("Whose").select_option("inputs")
    page.get_by_label("Share (%)").fill("33")
    page.get_by_label("Share (%)").blur()
    for _ in range(2):
        way.evaluate("(part) => { part.dataset.had = ''; part.replaceChildren(); }")
        expect(way).to_contain_text("verified")
        expect(page.get_by_label("Share (%)")).to_have_value("33")
        expect(page.get_by_label("Whose")).to_have_value("inputs")


def test_they_can_be_paused(visitor: Visitor) -> None:
    """Whoever reads stops the figures with a button, and has them go on with the same one."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(PAGE)
    looks, way = list[str](), visitor.page.locator("[data-fresh=way]")
    visitor.page.on("request", lambda request: looks.append(request.url))
    pause = visitor.page.get_by_role("button", name="Pause refreshing")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    looks.clear()
    visitor.page.wait_for_timeout(2_500)
    assert looks == []
    pause.click()
    way.evaluate("(part) => { part.dataset.had = ''; part.replaceChildren(); }")
    expect(way).to_contain_text("verified")


def test_what_changes_all_the_time_is_not_said_aloud(watch: Watch) -> None:
    """While a canary stays, its verdict is a figure among others, and repeats no other message."""
    page = watch.visitor.page
    verdict = page.locator("[data-fresh=verdict]")
    expect(verdict).to_contain_text("Release 3 stays.")
    expect(verdict.locator("[role], [aria-live]")).to_have_count(0)
    assert page.locator("[data-fresh] [data-fresh]").count() == 0


def test_their_end_is_told(visitor: Visitor) -> None:
    """Who is signed out meanwhile is told that what is shown stays as it is."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(PAGE)
    visitor.context.clear_cookies()
    expect(visitor.page.locator("main .notice.bad")).to_contain_text("not fresh any more")
    expect(visitor.page.locator("#announcement")).to_contain_text("not fresh any more")
    expect(visitor.page.get_by_role("button", name="Pause refreshing")).to_be_hidden()
    visitor.complaints.clear()  # the browser's own, about the status


def test_a_page_tells_that_its_canary_was_sent_back(watch: Watch) -> None:
    """Whoever looks at a release sees by themselves what the server did; a form stays as it is."""
    visitor, releases = watch.visitor, watch.releases
    page = visitor.page
    head, done = page.locator(".page-head"), page.get_by_role("region", name="Table of what")
    expect(head).to_contain_text("canary 40%")
    page.get_by_label("Share (%)").fill("25")
    releases.send_back(NAME, 3, "It failed.", {"failures": 4})
    expect(done).to_contain_text("sent back")
    expect(head).to_contain_text("candidate")
    expect(page.get_by_label("Share (%)")).to_have_value("25")
    expect(page.get_by_role("link", name="Withdraw")).to_be_visible()
    page.get_by_label("Share (%)").blur()
    expect(page.get_by_role("link", name="Withdraw")).to_have_count(0)
    expect(page.get_by_role("button", name="Make it a canary")).to_be_visible()
    expect(page.get_by_label("Share (%)")).to_have_value("25")
    visitor.goto("/console/releases")
    expect(page.get_by_role("link", name="Roll back")).to_be_visible()
    releases.rollback(NAME, "ann", "enough")
    expect(page.get_by_role("link", name="Roll back")).to_have_count(0)
    expect(done).to_contain_text("rolled back")
