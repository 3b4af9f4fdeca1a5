"""What the style sheet sees to: nothing is out of sight, whatever the words and the window."""

import pytest
from playwright.sync_api import expect
from tests.browser.handing_in import SOUND
from tests.browser.pages import with_answers
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

WIDTHS = (360, 768, 1280)
RELEASE = f"/console/releases/madcompany/{SOUND}"

HIDDEN = """() => [...document.querySelectorAll(".table-box")]
    .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth)
    .map((box) => box.ariaLabel)"""
"""Names the tables of which something is out of sight, to be scrolled to."""

UNNAMED = """() => [...document.querySelectorAll("table.stacked td")]
    .filter((cell) => cell.textContent.trim() && cell.cellIndex > 1)
    .filter((cell) => !cell.dataset.label && !cell.querySelector(".badge"))
    .map((cell) => cell.outerHTML.slice(0, 100))"""
"""Lists the cells that do not tell what they are, as badges do, without their table's head."""

TITLES = """() => {
    const top = (title) => title.getBoundingClientRect().top;
    const titles = [...document.querySelectorAll("main h2")];
    const seen = titles.toSorted((one, other) => top(one) - top(other));
    return [titles, seen].map((all) => all.map((title) => title.textContent));
}"""
"""Lists the page's titles as they are read out, and as they are seen from above."""


def send(visitor: Visitor, path: str, **form: str | float | bool) -> None:
    """Send a form without its page."""
    assert visitor.context.request.post(visitor.url + path, form=form).ok


@pytest.mark.parametrize("width", WIDTHS)
def test_every_column_is_in_sight(visitor: Visitor, width: int) -> None:
    """One long word makes no table wide: neither a key's label nor an account's name."""
    visitor.be(OPERATOR, PASSWORD)
    long = f"{width}" + "m" * 90
    send(visitor, "/console/keys", label=long)
    send(visitor, "/console/accounts", name=long, role="client")
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/console/keys", "/console/accounts"):
        visitor.goto(path)
        assert visitor.page.get_by_role("rowheader", name=long).count() == 1
        visitor.page.locator("tr", has_text=long).locator("summary").first.click()
        assert visitor.page.evaluate(HIDDEN) == []


def test_nothing_takes_no_room(visitor: Visitor) -> None:
    """What has nothing to say just now leaves no gap."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto("/console/releases")
    empty = visitor.page.locator("main p:empty")
    seen = empty.evaluate_all("(all) => all.map((each) => each.checkVisibility())")
    assert set(seen) == {False}


def test_an_account_is_one_line(visitor: Visitor) -> None:
    """On a screen, what can be done with an account is beside it; each button says with which."""
    visitor.be(OPERATOR, PASSWORD)
    send(visitor, "/console/accounts", name="ahmed", role="client")
    visitor.goto("/console/accounts")
    row = visitor.page.get_by_role("row", name="ahmed")
    doings = row.locator("summary, td .row > form > button")
    assert doings.all_text_contents() == [
        f"{each}: ahmed" for each in ("Disable", "End sessions", "Reset password")
    ]
    assert len({box["y"] for each in doings.all() if (box := each.bounding_box())}) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_long_name_stands_for(visitor: Visitor, width: int) -> None:
    """A long name in the reference leaves the words about it in sight."""
    visitor.page.set_viewport_size({"width": width, "height": 800})
    visitor.goto("/docs")
    names = visitor.page.locator(".operation tbody th code")
    names.evaluate_all("(all) => all.forEach((each) => { each.textContent = 'n'.repeat(60); })")
    assert visitor.page.evaluate(HIDDEN) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/console/history", "/console/service", RELEASE])
def test_no_table_hides_anything(visitor: Visitor, path: str, width: int) -> None:
    """Not on a telephone nor a tablet; cells below each other say what they are."""
    visitor.be(OPERATOR, PASSWORD)
    with_answers(visitor)
    visitor.page.set_viewport_size({"width": width, "height": 800})
    visitor.goto(path)
    assert visitor.page.locator("table.stacked tbody tr").count() > 1
    assert visitor.page.evaluate(HIDDEN) == []
    assert visitor.page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_answers_come_first(visitor: Visitor, width: int) -> None:
    """Answers are above their charts, for the eye as for the keyboard; a link leads below."""
    visitor.be(OPERATOR, PASSWORD)
    with_answers(visitor)
    visitor.page.set_viewport_size({"width": width, "height": 800})
    visitor.goto("/console/history")
    read, seen = visitor.page.evaluate(TITLES)
    assert read == seen == ["Answers", "Answers over time", "Distribution of the answers"]
    visitor.page.get_by_role("link", name="Charts").click()
    expect(visitor.page.get_by_text("Distribution of the answers")).to_be_in_viewport()


def test_a_long_name_leaves_room_for_its_value(visitor: Visitor) -> None:
    """A name and its value share a line, however long the name is."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.goto(f"/console/history/{with_answers(visitor)['answer']}")
    visitor.page.evaluate("document.querySelector('dl.facts dt').textContent = 'm'.repeat(200)")
    facts = visitor.page.locator("dl.facts").first
    room, value = facts.bounding_box(), facts.locator("dd").first.bounding_box()
    assert room is not None
    assert value is not None
    assert value["width"] > 0.45 * room["width"]


PAPER = 718
"""Pixels between the margins of a sheet of A4."""


@pytest.mark.parametrize("path", ["/console/history", "/console/service", RELEASE])
def test_a_print_is_dark_on_white_and_whole(visitor: Visitor, path: str) -> None:
    """Whatever the theme: no header, no filters, and every column of every table on the sheet."""
    visitor.be(OPERATOR, PASSWORD)
    with_answers(visitor)
    page = visitor.page
    visitor.goto(path)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    assert not page.locator(".top, .bottom, .filters").locator("visible=true").count()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert page.evaluate(HIDDEN) == []


def test_forced_colours_hide_nothing(visitor: Visitor) -> None:
    """With the system's colours alone, it is still seen where one is, and what a colour means."""
    page = visitor.page
    page.emulate_media(forced_colors="active")
    visitor.goto("/console/predict")
    borders = page.get_by_role("tab").evaluate_all(
        "(tabs) => tabs.map((tab) => getComputedStyle(tab).borderBottomColor)"
    )
    assert borders[0] not in borders[1:]
    here = page.locator("nav [aria-current]").first
    assert here.evaluate("(link) => getComputedStyle(link).outlineStyle") == "solid"
    colour = page.evaluate("""() => {
        const swatch = document.querySelector("main").appendChild(document.createElement("span"));
        swatch.className = "swatch series-2";
        return getComputedStyle(swatch).backgroundColor;
    }""")
    assert colour == "rgb(178, 107, 0)"


def test_the_frame_on_a_telephone(visitor: Visitor) -> None:
    """Links are large enough for a thumb; no line stands before a row of them."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.page.set_viewport_size({"width": 360, "height": 800})
    visitor.goto("/console/appearance")
    heights = visitor.page.locator(".bottom a, .top nav a").evaluate_all(
        "(links) => links.map((link) => link.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24
    begin = visitor.page.locator(".operators-begin")
    assert begin.evaluate("(item) => getComputedStyle(item).borderLeftWidth") == "0px"


ROWS = """() => [".brand", ".tools", ".top nav a"].map((parts) => new Set(
    [...document.querySelectorAll(parts)].map((part) => part.getBoundingClientRect())
        .map((box) => Math.round((box.top + box.bottom) / 2))
)).map((rows) => [...rows])"""
"""Lists in which rows of the header its name, its tools and its links are."""


@pytest.mark.parametrize("width", [360, 641, 700, 753, 900, 1024, 1057, 1280])
@pytest.mark.parametrize("name", ["gustav", "g" * 50])
def test_the_header_is_in_order(visitor: Visitor, name: str, width: int) -> None:
    """Tools are beside the site's name, and links all in one row, beside or below them."""
    visitor.be(name, "secret")
    visitor.page.set_viewport_size({"width": width, "height": 800})
    visitor.goto("/console/appearance")
    (brand,), (tools,), (links,) = visitor.page.evaluate(ROWS)
    assert abs(brand - tools) <= 2
    assert links >= brand - 2


@pytest.mark.parametrize("width", [641, 700, 900, 1024, 1057, 1280])
def test_an_operators_header_is_in_order(visitor: Visitor, width: int) -> None:
    """So it is with an operator's links, which are more."""
    visitor.be(OPERATOR, PASSWORD)
    visitor.page.set_viewport_size({"width": width, "height": 800})
    visitor.goto("/console/appearance")
    visitor.page.locator(".menu > summary span").evaluate(
        "(it) => { it.textContent = 'o'.repeat(50); }"
    )
    (brand,), (tools,), (_,) = visitor.page.evaluate(ROWS)
    assert abs(brand - tools) <= 2


@pytest.mark.parametrize("path", ["/predict/january/100/5", "/" + "n" * 150])
def test_a_refusal_on_a_telephone(visitor: Visitor, path: str) -> None:
    """However long the address that is told of, the page does not scroll sideways."""
    visitor.page.set_viewport_size({"width": 360, "height": 800})
    visitor.refused.add(path)
    visitor.goto(path)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_long_name_on_a_telephone(visitor: Visitor) -> None:
    """Nor does the page of an account, however long its name."""
    visitor.be("g" * 140, "secret")
    visitor.page.set_viewport_size({"width": 360, "height": 800})
    visitor.goto("/console/account")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 360
