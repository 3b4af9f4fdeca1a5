"""What holds for every page: readable by all, light, quiet, and whole at every width."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.acceptance.server import Server
from tests.browser.pages import PAGES, Row, bring, prepare
from tests.browser.visiting import OK, Scheme, Visitor

from stopgap.settings import Settings
from stopgap.wiring.application import create_app

WIDTHS = (320, 768, 1440)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WEIGHT_MAX = 100_000
"""Bytes over the wire of a first visit, with everything that the page brings along."""

AXE = """(options) => axe.run(document, { resultTypes: ["violations"], ...options }).then(
    ({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`)))"""
"""Asks axe what it objects to, and tells it in a line each."""

RULES: dict[Scheme, dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
"""All rules in the light; in the dark those about colours, as nothing else differs there."""

USABLE = """() => {
    const all = "a[href], button, input, select, summary, [tabindex='0']";
    const seen = (each) => each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true })
        && (each.type !== "radio" || each.checked);
    const usable = [...document.querySelectorAll(all)].filter(seen);
    usable.forEach((each, number) => { each.dataset.number = number; });
    return usable.length;
}"""
"""Numbers what can be used, and tells how much there is; of radio buttons, the one that is on."""

FOCUSED = """() => {
    const here = document.activeElement;
    if (here === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(here);
    const outline = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    return { html: here.outerHTML.slice(0, 100), number: Number(here.dataset.number), outline };
}"""

every_page = pytest.mark.parametrize("row", PAGES, ids=lambda row: row.name)


@pytest.fixture
def alone(chromium: Browser, site: Server) -> Iterator[Visitor]:
    """Open a fresh browser whose cache is empty."""
    with closing(Visitor(chromium, site.url)) as opened:
        yield opened


@every_page
def test_it_can_be_used_by_all(alone: Visitor, row: Row) -> None:
    """Axe finds nothing, light and dark, at any width; nothing scrolls sideways."""
    bring(alone, row)
    alone.page.evaluate(Axe().axe_script)
    found = []
    for scheme in SCHEMES:
        alone.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            alone.page.set_viewport_size({"width": width, "height": 800})
            wide = alone.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{row.name} is {wide} px wide at {width} px"
            found += [
                f"{scheme} {width}: {each}" for each in alone.page.evaluate(AXE, RULES[scheme])
            ]
    assert found == []


@every_page
def test_it_can_be_used_by_keyboard(alone: Visitor, row: Row) -> None:
    """Tab reaches whatever can be used, in its order, and shows where it is."""
    bring(alone, row)
    wanted = alone.page.evaluate(USABLE)
    alone.page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # begin at the top
    reached = []
    for _ in range(wanted + 5):
        alone.page.keyboard.press("Tab")
        if not (place := alone.page.evaluate(FOCUSED)):
            break
        assert place["outline"] >= 2, place
        reached.append(place["number"])
    assert reached == list(range(wanted))


@every_page
def test_it_is_light_and_quiet(alone: Visitor, row: Row) -> None:
    """A first visit weighs under 100 kB, asks no other host, and leaves the console empty."""
    path = prepare(alone, row)
    alone.context.new_cdp_session(alone.page).send("Network.clearBrowserCache")
    answers = alone.network()
    alone.goto(path)
    alone.page.wait_for_load_state("networkidle")
    weight = sum(each["encodedDataLength"] for each in answers)
    assert 1_000 < weight < WEIGHT_MAX
    alone.has_seen_no_fault()


def test_no_page_is_missing(tmp_path: Path) -> None:
    """Every page has a row in the table."""
    app = create_app(Settings(data=tmp_path))
    app.extensions["stopgap"].close()
    known = app.url_map.bind("localhost")
    shown = {known.match(row.path.partition("?")[0])[0] for row in PAGES if row.status == OK}
    page = ("welcome.", "console_", "reference.viewer", "reference.problem_kind")
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(page) and "GET" in (rule.methods or set())
    }
    files = {"console_images.small", "console_history.download"}
    assert pages - shown == files
