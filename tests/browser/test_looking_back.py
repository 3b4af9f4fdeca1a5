"""Looking back: answers found again, keys, sessions, accounts; with a script and without."""

import re
import subprocess
import time

import pytest
from playwright.sync_api import Route, expect
from tests.browser.pages import with_answers
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor

from stopgap.accounts.recent import SECONDS

STOPPED = """() => {
    const stopped = [];
    document.addEventListener("submit", (event) => {
        stopped.push(event.defaultPrevented);
        event.preventDefault();
    });
    const [one] = document.querySelectorAll("header form[method=post]");
    const [other] = document.querySelectorAll("main form[method=post]:has([name=label])");
    for (const form of [one, other, one]) form.requestSubmit();
    return stopped;
}"""
"""Sends one form, another, and the first again; tells which was stopped, and leaves none to go."""

SHOWN = re.compile(r"sk_[0-9a-f]{16}_[0-9a-f]{64}")


@pytest.mark.parametrize(("name", "password"), [("orhan", "12345"), ("jane", "secret")])
def test_an_answer_is_found_again(anybody: Visitor, name: str, password: str) -> None:
    """Who asked finds the answer in the history, tells what came of it, and asks for it again."""
    page = anybody.page
    anybody.sign_in(name, password)
    request_id = with_answers(anybody)["answer"]
    page.locator("header").get_by_role("link", name="History").click()
    row = page.locator(f'tr:has(a[href$="{request_id}"])')
    expect(row).to_contain_text("december")
    expect(row.locator("time")).to_have_text(re.compile(r":\d\d UTC$"))  # as the filters' times
    expect(row).to_contain_text("stand-in (random)")
    expect(page.get_by_label("Input value")).to_be_hidden()
    page.get_by_text("More filters").click()
    page.get_by_label("Input", exact=True).select_option("month")
    page.get_by_label("Input value").fill("June")
    page.get_by_role("button", name="Show").click()
    expect(row).to_have_count(0)
    expect(page.locator("tbody td.asked").first).to_contain_text("june")
    page.get_by_label("Input value").fill("smarch")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#error-value")).to_contain_text("is not one of january")
    expect(page.get_by_label("Input", exact=True)).to_have_value("month")
    anybody.goto(f"/console/history/{request_id}")
    page.get_by_label("Reported value").fill("3000")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_role("status").first).to_contain_text("Kept.")
    expect(page.locator("main")).to_contain_text("It was 3000")
    page.get_by_role("link", name="Repeat this request").click()
    expect(page.locator("#answer output")).to_have_text(re.compile(r"^[2-5]\d{3}$"))


def test_a_key_for_curl(anybody: Visitor) -> None:
    """A key is made, shown once, used with curl as the page says, and refused once revoked."""
    page, label = anybody.page, f"for curl {time.monotonic()}"
    anybody.sign_in("orhan", "12345")
    page.locator("header").get_by_role("link", name="Keys").click()
    page.get_by_label("Label").fill(label)
    page.get_by_role("button", name="Create").click()
    command = page.locator(".made code").nth(1).text_content() or ""
    assert SHOWN.search(command)
    assert re.fullmatch(r"[2-5]\d{3}", run(command))
    page.locator("header").get_by_role("link", name="Keys").click()
    assert not SHOWN.search(page.content())
    row = page.locator("tr", has_text=label)
    row.locator("summary").click()
    row.get_by_role("button", name="Revoke it for good").click()
    expect(page.get_by_role("status").first).to_contain_text("Revoked.")
    expect(page.locator("tr", has_text=label)).to_have_count(0)
    time.sleep(SECONDS)  # for so long may the key still predict
    assert "/problems/key-refused" in run(command)


def test_a_key_is_made_once(visitor: Visitor) -> None:
    """A second click while the first is on its way makes no second key."""
    page, sent = visitor.page, list[Route]()

    def held_back(route: Route) -> None:
        sent.append(route)

    visitor.be("orhan", "12345")
    visitor.goto("/console/keys")
    page.get_by_label("Label").fill("twice")
    page.route("**/console/keys", held_back)
    box = page.get_by_role("button", name="Create").bounding_box()
    assert box is not None
    with page.expect_request("**/console/keys"):
        page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    for route in sent:
        route.continue_()
    expect(page.locator(".made code").first).to_have_text(SHOWN)
    expect(page.locator("tr", has_text="twice")).to_have_count(1)
    assert len(sent) == 1


def test_each_form_is_sent_once(visitor: Visitor) -> None:
    """A form that is on its way stops no other; one that is stopped says so."""
    page = visitor.page
    visitor.be("orhan", "12345")
    visitor.goto("/console/keys")
    page.get_by_label("Label").fill("never")
    assert page.evaluate(STOPPED) == [False, False, True]
    expect(page.locator("#announcement")).to_have_text("Already sent")


def run(command: str) -> str:
    """Run what a page says, in a shell."""
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("curl", "curl --silent", 1)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_an_operator_adds_an_account(anybody: Visitor) -> None:
    """An operator adds an account, whose password is shown once and then changed by its user."""
    page, name = anybody.page, f"new {time.monotonic()}"
    anybody.sign_in(OPERATOR, PASSWORD)
    page.locator("header").get_by_role("link", name="Accounts").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add", exact=True).click()
    password = page.locator("code[data-copied]").first.text_content() or ""
    assert re.fullmatch("[0-9a-f]{36}", password)
    page.locator("header summary").click()
    page.locator("header").get_by_role("button", name="Sign out").click()

    anybody.sign_in(name, password)
    anybody.refused.add("/console/account/password")
    page.locator("header summary").click()
    page.get_by_role("link", name="Your account").click()
    for current in ("wrong", password):
        page.get_by_label("Current password").fill(current)
        page.get_by_label("New password").fill("violet teapots hum")
        page.get_by_role("button", name="Change password").click()
        if current == "wrong":
            expect(page.locator("#error-current")).to_contain_text("not the current password")
            expect(page.get_by_label("Current password")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Changed.")


def test_a_download(anybody: Visitor) -> None:
    """The answers that are shown can be downloaded, as one file."""
    page = anybody.page
    anybody.sign_in("jane", "secret")
    with_answers(anybody)
    page.locator("header").get_by_role("link", name="History").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("request_id,at,")


def test_a_download_that_is_refused(anybody: Visitor) -> None:
    """Why there is no file is told on a page."""
    page = anybody.page
    anybody.be("jane", "secret")
    anybody.goto("/console/history?field=month&value=smarch")
    link = page.get_by_role("link", name="Download CSV")
    anybody.refused.add(link.get_attribute("href") or "")
    link.click()
    expect(page.locator("main")).to_contain_text("is not one of january")
