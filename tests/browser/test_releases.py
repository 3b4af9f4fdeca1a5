"""The way of a release, clicked by an operator under load: no client notices anything."""

import time
from collections import Counter
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.acceptance.callers import Callers
from tests.acceptance.desk import recorded
from tests.acceptance.server import Server
from tests.browser.test_pages import AXE
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

pytestmark = pytest.mark.alone

EVERYWHERE_SECONDS = 1.0
"""After a change, all workers have made it."""

LOADED_SECONDS = 30.0
"""On a busy machine; when a release's model has to be started first."""


def answerers(callers: Callers) -> Counter[str]:
    """Listen, and count answers by their release."""
    return Counter(each.release for each in callers.listen(1.0))


def settle(callers: Callers, wanted: set[str]) -> Counter[str]:
    """Wait until the releases that answer are those that should; listen once more."""
    deadline = time.monotonic() + LOADED_SECONDS
    while answerers(callers).keys() != wanted:
        assert time.monotonic() < deadline, answerers(callers)
    return answerers(callers)


def violations(page: Page) -> list[str]:
    """Ask axe what it objects to on a page that has a canary and its figures."""
    page.evaluate(Axe().axe_script)
    return list(page.evaluate(AXE, {}))


def confirm(visitor: Visitor, words: str, button: str) -> None:
    """Read what will happen, give a reason, and do it."""
    expect(visitor.page.locator("main")).to_contain_text(words)
    visitor.page.get_by_label("Reason").fill("by clicking")
    visitor.page.get_by_role("button", name=button).click()
    expect(visitor.page.get_by_role("status").first).to_contain_text("Done.")


def share(visitor: Visitor, percent: str, button: str) -> None:
    """Make a release a canary, or change its share."""
    visitor.page.get_by_label("Share (%)").fill(percent)
    visitor.page.get_by_label("Whose").select_option("inputs")
    visitor.page.get_by_role("button", name=button).click()
    confirm(visitor, f"answers {percent}% of the requests", "Make it a canary")


@pytest.mark.parametrize("scripts", [True, False], ids=["with-script", "without-script"])
def test_a_release_is_clicked_to_live_and_back(
    chromium: Browser, shop: Server, *, scripts: bool
) -> None:
    """Not one answer fails or breaks the contract; each says who gave it, as the journal does."""
    with (
        closing(Visitor(chromium, shop.url, scripts=scripts)) as visitor,
        Callers(shop.port) as callers,
    ):
        page = visitor.page
        visitor.sign_in(OPERATOR, PASSWORD)
        page.locator("header").get_by_role("link", name="Releases").click()
        expect(page.locator("main")).to_contain_text("The stand-in answers everybody.")
        table = page.get_by_role("region", name="Table of releases")
        table.get_by_role("link", name="Release 1", exact=True).click()
        page.get_by_role("link", name="Make it a shadow").click()
        confirm(visitor, "gets copies of the traffic", "Make it a shadow")
        assert answerers(callers).keys() == {"stand-in"}
        if scripts:  # its figures come by themselves
            expect(page.locator("[data-fresh=lately] tbody")).to_contain_text(
                "release 1", timeout=1000 * LOADED_SECONDS
            )
            expect(page.get_by_role("heading", name="Compared with the stand-in")).to_be_visible()
        share(visitor, "10", "Make it a canary")
        few = settle(callers, {"stand-in", "1"})
        page.reload()
        expect(page.locator("main")).to_contain_text("Release 1 stays.")
        if scripts:
            assert violations(page) == []
        share(visitor, "50", "Change the share")
        time.sleep(EVERYWHERE_SECONDS)
        half = answerers(callers)
        assert few["1"] / few.total() < 0.3 < half["1"] / half.total() < 0.7
        page.get_by_role("link", name="Make it live").click()
        confirm(visitor, "The stand-in answers none any more.", "Make it live")
        time.sleep(EVERYWHERE_SECONDS)
        assert answerers(callers).keys() == {"1"}
        page.get_by_role("link", name="Roll back").click()
        confirm(visitor, "Release 1 (live) gets no traffic any more.", "Roll back")
        time.sleep(EVERYWHERE_SECONDS)
        assert answerers(callers).keys() == {"stand-in"}
        expect(page.locator("main")).to_contain_text("rolled back: live → candidate")
        visitor.has_seen_no_fault()
    shop.stop()
    assert callers.failures == {}
    assert len(callers.told) > 500
    assert recorded(shop.data) == {each.request_id: each.release for each in callers.told}
