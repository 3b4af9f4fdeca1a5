"""A real browser, Debian's Chromium, against a real server.

The server is started once. The browser is started for each module: Playwright has an event loop run
in the thread of the tests as long as it lives, and other modules have loops of their own.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.acceptance.desk import add, desk
from tests.acceptance.server import Server, running
from tests.browser.handing_in import hand_in_releases
from tests.browser.visiting import OPERATOR, PASSWORD, TIMEOUT, Visitor

from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.settings import read_settings

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""What keeps Chromium to the pages it is sent to: it asks nobody for updates."""

expect.set_options(timeout=TIMEOUT)  # what is expected of a page may take as long as the page may


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the demo, with an operator beside its own account, and two releases in no traffic."""
    folder = tmp_path_factory.mktemp("site")
    settings = read_settings({"STOPGAP_DATA": str(folder / "data")})
    parts = wiring.build_parts(wiring.prepare(settings))
    with closing(parts):
        parts.accounts.add(OPERATOR, PASSWORD, Role.OPERATOR)
        hand_in_releases(parts)
    with running(folder) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run the browser."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser, site: Server) -> Iterator[Visitor]:
    """Open a fresh browser at the site; at the end, hold that nothing went wrong in it."""
    with closing(Visitor(chromium, site.url)) as opened:
        yield opened
        opened.has_seen_no_fault()


@pytest.fixture(params=[True, False], ids=["with-script", "without-script"])
def anybody(request: pytest.FixtureRequest, chromium: Browser, site: Server) -> Iterator[Visitor]:
    """Open a fresh browser, with JavaScript and without in turn."""
    with closing(Visitor(chromium, site.url, scripts=request.param)) as opened:
        yield opened
        opened.has_seen_no_fault()


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
