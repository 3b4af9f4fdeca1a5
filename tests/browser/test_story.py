"""The client's story: sign in, ask, upload, look back; as orhan and as a guest, script or none."""

import re
from typing import Literal

import pytest
from playwright.sync_api import FilePayload, expect
from tests.browser.pages import with_images
from tests.browser.visiting import Visitor
from tests.pictures import jpeg, png

from stopgap.web.console.images import PAGE

ANSWER = re.compile(r"^[2-5]\d{3}$")
PATH = re.compile(r"^/images/[0-9a-f]{72}\.png$")
PICTURE: FilePayload = {"name": "a picture.png", "mimeType": "image/png", "buffer": png()}

either = pytest.mark.parametrize(
    ("name", "password", "role"), [("orhan", "12345", "client"), ("jane", "secret", "guest")]
)


@either
def test_the_story(anybody: Visitor, name: str, password: str, role: str) -> None:
    """Whoever signs in sends a prediction request, uploads an image, finds it, and signs out."""
    page = anybody.page
    anybody.sign_in(name, password)
    sentence = f"Login success for user {name} with password of length: {len(password)}!"
    expect(page.locator("main")).to_contain_text(sentence)

    page.locator("header").get_by_role("link", name="Predict").click()
    page.get_by_label("Sellers available").fill("7")
    page.get_by_label("Month").select_option("October")
    page.get_by_label("Customers visiting").fill("1200")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#answer output")).to_have_text(ANSWER)
    expect(page.locator("#answer")).to_contain_text("stand-in (random)")
    expect(page.locator("#answer")).to_contain_text(re.compile(r"in \d+\.\d\d ms"))
    expect(page.locator("#snippet-1")).to_contain_text("/predict/7/october/1200")

    page.locator("header").get_by_role("link", name="Images").click()
    before = page.locator("#gallery [data-copied]").all_text_contents()
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    if not anybody.scripts:
        page.get_by_role("button", name="Upload", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("Kept.")
    newest = page.locator("#gallery [data-copied]").first
    expect(newest).to_have_text(PATH)
    expect(newest).not_to_have_text(before[0] if before else "")
    expect(page.locator("#gallery li")).to_have_count(min(len(before) + 1, PAGE))

    page.locator("header summary").click()
    expect(page.locator("header .menu")).to_contain_text(f"{name} ({role})")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Username")).to_be_visible()


def test_a_wrong_password(anybody: Visitor) -> None:
    """Who mistypes the password is told so on the form, and keeps the name."""
    anybody.refused.add("/login")
    anybody.sign_in("orhan", "54321")
    page = anybody.page
    expect(page.get_by_label("Username")).to_have_value("orhan")
    password = page.get_by_label("Password")
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description("The username or the password is wrong.")
    page.get_by_label("Password").fill("12345")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("Login success for user orhan")


def test_a_stranger_uploads(anybody: Visitor) -> None:
    """Somebody who has not signed in becomes a guest by uploading an image."""
    page = anybody.page
    anybody.goto("/console/images")
    expect(page.locator("#gallery")).to_contain_text("No images yet")
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    if not anybody.scripts:
        page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#gallery li")).to_have_count(1)
    expect(page.locator("header .menu")).to_be_visible()


def test_the_first_page_uploads_too(anybody: Visitor) -> None:
    """What came of an upload by the first page's form is said: its path, or what is wrong."""
    anybody.refused.add("/console/images")
    anybody.be("jane", "secret")
    page = anybody.page
    for file, place, words in (
        (PICTURE, ".notice.good", "Kept. Its path on the server: /images/"),
        (PICTURE | {"buffer": b"a text"}, "#error-image", "JPEG, PNG, WebP"),
    ):
        anybody.goto("/")
        page.get_by_label("Image", exact=True).set_input_files(file)
        page.get_by_role("button", name="Upload", exact=True).click()
        expect(page.locator(place)).to_contain_text(words)
        expect(page.get_by_label("Upload an image")).to_be_visible()


def test_an_image_in_full_and_deleted(anybody: Visitor) -> None:
    """An image has a view of its own, and goes for good only after a second word."""
    page = anybody.page
    anybody.goto("/console/images")
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    if not anybody.scripts:
        page.get_by_role("button", name="Upload", exact=True).click()
        page.locator("#gallery .thumb").click()
        expect(page.get_by_role("img", name="The image in full")).to_be_visible()
    else:
        expect(page.locator("#gallery li")).to_have_count(1)
    deleting = page.locator("form[action$=delete]")
    expect(deleting.get_by_role("button")).to_be_hidden()
    deleting.locator("summary").click()
    deleting.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_role("status").first).to_contain_text("Deleted.")
    expect(page.locator("#gallery")).to_contain_text("No images yet")


def test_no_image(anybody: Visitor) -> None:
    """What is no image is refused in the server's words, beside the field or the file."""
    page = anybody.page
    anybody.refused |= {"/console/images", "/images"}
    anybody.goto("/console/images")
    text: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no image"}
    page.get_by_label("Upload an image").set_input_files(text)
    if not anybody.scripts:
        page.get_by_role("button", name="Upload", exact=True).click()
    beside = page.locator("#uploads" if anybody.scripts else "#error-image")
    expect(beside).to_contain_text("must be a JPEG, PNG, WebP or GIF")


def test_the_colours(anybody: Visitor) -> None:
    """A choice of light or dark stays, on every page."""
    page = anybody.page
    anybody.goto("/")
    kind: Literal["button", "link"] = "button" if anybody.scripts else "link"
    page.get_by_role(kind, name="Light or dark").click()
    if not anybody.scripts:
        page.get_by_label("Dark", exact=True).check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved.")
    anybody.goto("/console/predict")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_help_for_the_lost(anybody: Visitor) -> None:
    """A page that is not there leads on, and shows the request id to be copied."""
    anybody.refused.add("/statu")
    anybody.goto("/statu")
    main = anybody.page.locator("main")
    expect(main.locator("[data-copied]")).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))
    main.get_by_role("link", name="Predict").click()
    expect(anybody.page.get_by_role("button", name="Predict", exact=True)).to_be_visible()


def test_several_files(visitor: Visitor) -> None:
    """Several files at once are sent one after another."""
    visitor.goto("/console/images")
    files: list[FilePayload] = [
        PICTURE,
        {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": jpeg()},
        {"name": "c.png", "mimeType": "image/png", "buffer": png(size=(9, 9))},
    ]
    visitor.page.get_by_label("Upload an image").set_input_files(files)
    expect(visitor.page.locator("#gallery li")).to_have_count(3)
    expect(visitor.page.locator("#uploads li")).to_have_count(0)


def test_the_same_time_for_those_who_listen(anybody: Visitor) -> None:
    """Whoever listens is told the time that is seen, or in which zone another is."""
    for _ in range(2):
        anybody.context.clear_cookies()  # else it would be the same session, begun again
        anybody.be("orhan", "12345")
    anybody.goto("/console/account")
    row = anybody.page.locator("tr", has_text="End the session of").first
    seen = row.get_by_role("rowheader").text_content() or ""
    expect(row.get_by_role("button")).to_have_text(f"End the session of {seen.strip()}")
    with_images(anybody)
    anybody.goto("/console/images")
    said = anybody.page.locator("#gallery img").first.get_attribute("alt")
    assert re.search(r"\d\d:\d\d UTC, 24 by 64$", said or "")
