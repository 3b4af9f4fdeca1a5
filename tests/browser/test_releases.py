"""The way of a release, clicked by an operator under load: no client notices anything."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.acceptance.callers import Callers
from tests.acceptance.desk import NAME, add, desk, recorded
from tests.acceptance.server import Server, running
from tests.browser.test_pages import AXE
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.settings import read_settings

pytestmark = pytest.mark.alone

EVERYWHERE_SECONDS = 1.0
"""After a change, all workers have made it."""

LOADED_SECONDS = 30.0
"""On a busy machine; when a release's model has to be started first."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    """Run two workers, with an operator, and a verified model; the test stops them."""
    settings = read_settings({"STOPGAP_DATA": str(tmp_path / "data")})
    with closing(wiring.build_parts(wiring.prepare(settings))) as parts:
        parts.accounts.add(OPERATOR, PASSWORD, Role.OPERATOR)
    with running(tmp_path, {"STOPGAP_WORKERS": "2"}, stopped=False) as server:
        with desk(server.data) as releases:
            add(releases, "Steady")
        yield server


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
        confirm(visitor, "The stand-in (live) answers none any more.", "Make it live")
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


def test_a_page_tells_that_its_canary_was_sent_back(chromium: Browser, shop: Server) -> None:
    """Whoever looks at a release sees by themselves what the server did; a form stays as it is."""
    with closing(Visitor(chromium, shop.url)) as visitor, desk(shop.data) as releases:
        page = visitor.page
        releases.promote(NAME, add(releases, "Steady"), "ann")
        releases.promote(NAME, add(releases, "Steady"), "ann", stage="canary", percent=40)
        visitor.be(OPERATOR, PASSWORD)
        visitor.goto(f"/console/releases/{NAME}/3")
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
        visitor.goto("/console/releases")
        expect(page.get_by_role("link", name="Roll back")).to_be_visible()
        releases.rollback(NAME, "ann", "enough")
        expect(page.get_by_role("link", name="Roll back")).to_have_count(0)
        expect(done).to_contain_text("rolled back")
    shop.stop()
