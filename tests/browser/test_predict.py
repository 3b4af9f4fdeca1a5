"""The prediction's page: what is wrong stands beside its field; what is right can be repeated."""

import re
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.acceptance.server import Server, running
from tests.browser.visiting import Visitor

ANSWER = re.compile(r"^[2-5]\d{3}$")


def test_a_wrong_value(anybody: Visitor) -> None:
    """A wrong value is told beside its field, announced, with the focus there and the rest kept."""
    page = anybody.page
    anybody.goto("/console/predict")
    page.get_by_label("Month").select_option("May")
    page.get_by_label("Sellers available").fill("five")
    page.get_by_label("Customers visiting").fill("42")
    page.get_by_role("button", name="Predict", exact=True).click()
    field = page.get_by_label("Sellers available")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_value("five")
    expect(page.get_by_label("Month")).to_have_value("may")
    expect(page.get_by_label("Customers visiting")).to_have_value("42")
    expect(page.get_by_role("alert")).to_contain_text("Sellers available")
    described = (field.get_attribute("aria-describedby") or "").split()
    assert "error-seller_available" in described
    expect(page.locator("#error-seller_available")).to_contain_text("Must be an integer from 0")

    field.fill("5")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#answer output")).to_have_text(ANSWER)
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_several_wrong_values(anybody: Visitor) -> None:
    """Each wrong value has its message; one that no list has is still shown."""
    anybody.goto("/console/predict/madcompany?seller_available=&month=maybe&nonsense=1")
    alert = anybody.page.get_by_role("alert")
    for words in ("Sellers available", "Month", "Customers visiting", "nonsense"):
        expect(alert).to_contain_text(words)
    expect(anybody.page.get_by_label("Month")).to_have_value("maybe")


def test_the_address_repeats_the_request(anybody: Visitor) -> None:
    """The address after an answer can be sent to somebody else."""
    page = anybody.page
    anybody.goto("/console/predict")
    page.get_by_label("Sellers available").fill("9")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#answer output")).to_have_text(ANSWER)
    expect(page).to_have_url(re.compile(r"seller_available=9&month=january"))
    shared = page.locator("#answer dd [data-copied]").last
    expect(shared).to_have_text(page.url)
    first = page.locator("#answer dd [data-copied]").first.text_content()
    page.reload()
    expect(page.get_by_label("Sellers available")).to_have_value("9")
    expect(page.locator("#answer output")).to_have_text(ANSWER)
    assert page.locator("#answer dd [data-copied]").first.text_content() != first


def test_the_first_page_asks_too(anybody: Visitor) -> None:
    """The form of the first page leads to the page that shows the answer."""
    anybody.sign_in("jane", "abc")
    anybody.page.get_by_role("button", name="Predict", exact=True).click()
    expect(anybody.page.locator("#answer output")).to_have_text(ANSWER)


def test_snippets_follow_what_is_typed(visitor: Visitor) -> None:
    """Each snippet has the values as they are typed, percent-encoded, and can be copied."""
    page = visitor.page
    visitor.goto("/console/predict")
    page.get_by_label("Sellers available").fill("5 o'clock/é")
    address = f"{visitor.url}/predict/5%20o%27clock%2F%C3%A9/january/100"
    for number, language in enumerate(("curl", "Python", "JavaScript"), start=1):
        page.get_by_role("tab", name=language).click()
        panel = page.locator(f"#snippet-{number}")
        expect(panel).to_contain_text(address)
        panel.get_by_role("button", name="Copy").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == panel.locator("code").text_content()


def test_snippets_know_what_was_typed_before_the_script_came(visitor: Visitor) -> None:
    """What is typed while the script is on its way is in the snippets too."""
    with visitor.before_the_script("/console/predict", "predict.js"):
        visitor.page.get_by_label("Sellers available").fill("7")
    expect(visitor.page.locator("#snippet-1")).to_contain_text("/predict/7/january/100")


def test_tabs_by_keyboard(visitor: Visitor) -> None:
    """Arrow keys go from one language to the next, and round."""
    visitor.goto("/console/predict")
    tab = visitor.page.get_by_role("tab", name="curl")
    tab.focus()
    visitor.page.keyboard.press("ArrowLeft")
    expect(visitor.page.get_by_role("tab", name="JavaScript")).to_be_focused()
    expect(visitor.page.locator("#snippet-3")).to_be_visible()
    expect(visitor.page.locator("#snippet-1")).to_be_hidden()


def test_the_answer_is_announced(visitor: Visitor) -> None:
    """Who listens is told the answer, without losing their place."""
    visitor.goto("/console/predict")
    button = visitor.page.get_by_role("button", name="Predict", exact=True)
    button.focus()
    visitor.page.keyboard.press("Enter")
    told = visitor.page.locator("#announcement")
    expect(told).to_have_text(re.compile(r"^The answer is [2-5]\d{3}$"))
    expect(button).to_be_focused()


def test_inputs_may_be_called_anything(chromium: Browser, tmp_path: Path) -> None:
    """Inputs called as a form's own parts are asked for like others; each value is told apart."""
    contract = {"STOPGAP_CONTRACTS": f"{Path(__file__).with_name('odd_contract.py')}:contract"}
    with running(tmp_path, contract) as server, closing(Visitor(chromium, server.url)) as visitor:
        page = visitor.page
        visitor.goto("/console/predict")
        page.get_by_label("size").fill("7")
        page.get_by_label("dataset").select_option("test")
        expect(page.locator("#snippet-1")).to_contain_text("/score/7?dataset=test&matches=")
        page.get_by_role("button", name="Predict", exact=True).click()
        told = re.compile("^The answer is [Rr]ank [123] [Ll]abel (good|bad)$")
        expect(page.locator("#announcement")).to_have_text(told)
        expect(page).to_have_url(re.compile("dataset=test"))
        visitor.has_seen_no_fault()


def test_no_server(visitor: Visitor) -> None:
    """Where the server does not answer, the page says so, and what was typed stays."""
    visitor.goto("/console/predict")
    visitor.page.get_by_label("Sellers available").fill("11")
    visitor.page.route("**/console/predict/**", lambda route: route.abort())
    visitor.page.get_by_role("button", name="Predict", exact=True).click()
    expect(visitor.page.locator("#answer")).to_contain_text("The server has no answer just now")
    expect(visitor.page.get_by_label("Sellers available")).to_have_value("11")
    visitor.complaints.clear()  # the browser's own, about the request that was cut off


def test_the_answer_comes_into_view(chromium: Browser, site: Server) -> None:
    """On a telephone, where the answer is below the form, it is seen as soon as it is there."""
    with closing(Visitor(chromium, site.url, width=360)) as visitor:
        visitor.goto("/console/predict")
        visitor.page.get_by_role("button", name="Predict", exact=True).click()
        expect(visitor.page.locator("#answer output")).to_be_in_viewport()
        visitor.has_seen_no_fault()


def test_a_refusal_has_its_page(anybody: Visitor) -> None:
    """What the server refuses as a whole is told in its words, and not as if it were away."""
    anybody.goto("/console/predict")
    anybody.page.get_by_label("Sellers available").fill("9" * 10_000)
    anybody.page.get_by_role("button", name="Predict", exact=True).click()
    expect(anybody.page.get_by_role("heading", level=1)).to_have_text("Address too long")
    anybody.complaints.clear()  # the browser's own, about the status
