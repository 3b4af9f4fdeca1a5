"""The images' page with a script: dropped, pasted, cancelled, tried again, and seen in full."""

from base64 import b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, FilePayload, Route, expect
from tests.browser.pages import with_images
from tests.browser.visiting import Visitor
from tests.pictures import png

WITH_FILE = """([type, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "brought.png", { type: "image/png" }));
    const told = { bubbles: true, cancelable: true };
    const event = type === "paste"
        ? new ClipboardEvent(type, { ...told, clipboardData: transfer })
        : new DragEvent(type, { ...told, dataTransfer: transfer });
    return document.querySelector(".drop").dispatchEvent(event);
}"""
"""Does what a browser does with a file that comes; tells whether the page left it to that."""

PICTURE: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": png()}


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_bringing_a_file(visitor: Visitor, way: str) -> None:
    """A file that is dropped or pasted is uploaded, and shown in the gallery."""
    visitor.goto("/console/images")
    if way == "drop":
        visitor.page.evaluate(WITH_FILE, ["dragover", b64encode(png()).decode()])
        expect(visitor.page.locator(".drop.over")).to_be_visible()
    left = visitor.page.evaluate(WITH_FILE, [way, b64encode(png()).decode()])
    assert not left
    expect(visitor.page.locator("#gallery li")).to_have_count(1)
    expect(visitor.page.locator(".drop.over")).to_have_count(0)
    expect(visitor.page.locator("#announcement")).to_have_text("brought.png is kept")


def test_a_file_chosen_before_the_script_came(visitor: Visitor) -> None:
    """A file that is chosen while the script is on its way is uploaded once it is there."""
    with visitor.before_the_script("/console/images", "images.js"):
        visitor.page.get_by_label("Upload an image").set_input_files(PICTURE)
    expect(visitor.page.locator("#gallery li")).to_have_count(1)


def test_a_gallery_that_does_not_come(visitor: Visitor) -> None:
    """Where the gallery cannot be asked for again, an upload is told still, and more can follow."""
    visitor.goto("/console/images")
    visitor.page.route("**/console/images", lambda route: route.abort())
    row = visitor.page.locator("#uploads li")
    for number in (1, 2):
        visitor.page.get_by_label("Upload an image").set_input_files(PICTURE)
        expect(row).to_have_count(number)
        expect(row.last).to_contain_text("Kept.")
    visitor.page.unroute_all()
    visitor.page.reload()
    expect(visitor.page.locator("#gallery li")).to_have_count(2)
    visitor.complaints.clear()  # the browser's own, about the request that was cut off


def test_cancel_and_try_again(visitor: Visitor) -> None:
    """An upload that hangs can be cancelled, and tried again."""
    page, held = visitor.page, list[Route]()

    def held_back(route: Route) -> None:
        held.append(route)

    visitor.goto("/console/images")
    page.route("**/images", held_back)
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    row = page.locator("#uploads li")
    expect(row.get_by_role("progressbar")).to_be_visible()
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled")
    expect(row.get_by_role("button", name="Try again")).to_be_focused()
    page.unroute_all()
    row.get_by_role("button", name="Try again").click()
    expect(page.locator("#gallery li")).to_have_count(1)
    expect(row).to_have_count(0)


def test_what_the_server_refuses(visitor: Visitor) -> None:
    """What only the server can see is told in its words, beside the file."""
    visitor.refused.add("/images")
    visitor.goto("/console/images")
    broken: FilePayload = {"name": "b.png", "mimeType": "image/png", "buffer": png()[:60]}
    visitor.page.get_by_label("Upload an image").set_input_files(broken)
    row = visitor.page.locator("#uploads li")
    expect(row).to_contain_text("cannot be read to its end")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    expect(visitor.page.get_by_label("Upload an image")).to_be_focused()


def test_too_large(visitor: Visitor, tmp_path: Path) -> None:
    """A file that is too large is refused before a byte of it is sent."""
    sent = list[str]()
    visitor.page.on("request", lambda request: sent.append(request.method))
    visitor.goto("/console/images")
    large = tmp_path / "large.png"
    large.write_bytes(bytes(10_485_761))
    visitor.page.get_by_label("Upload an image").set_input_files(large)
    expect(visitor.page.locator("#uploads li")).to_contain_text("10,485,760 are allowed")
    assert "POST" not in sent


def test_in_full_by_keyboard(visitor: Visitor) -> None:
    """Enter opens an image in full, arrows go on, Escape leads back to where one was."""
    with_images(visitor)
    visitor.goto("/console/images")
    page = visitor.page
    page.locator("#gallery .thumb").first.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer).to_contain_text("1 of 2")
    first = viewer.get_by_role("img").get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("2 of 2")
    expect(viewer.get_by_role("img")).not_to_have_attribute("src", first or "")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("1 of 2")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.locator("#gallery .thumb").first).to_be_focused()


def test_what_is_said_of_images_in_full(visitor: Visitor) -> None:
    """Those who listen hear which image comes, within the dialog: what is beside it is inert."""
    with_images(visitor)
    visitor.goto("/console/images")
    page, viewer = visitor.page, visitor.page.get_by_role("dialog")
    page.locator("#gallery .thumb").first.click()
    viewer.get_by_role("button", name="Next").click()
    said = viewer.get_by_role("status")
    expect(said).to_contain_text("2 of 2: Image of ")
    viewer.get_by_role("button", name="Copy the path").click()
    expect(said).to_have_text("Copied")
    page.keyboard.press("Escape")
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    expect(page.get_by_role("status").filter(has_text="a.png is kept")).to_be_attached()


def test_an_image_of_any_name(visitor: Visitor) -> None:
    """What a file is called, and what type the browser makes of that, counts for nothing."""
    named: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": png()}
    visitor.goto("/console/images")
    visitor.page.get_by_label("Upload an image").set_input_files(named)
    expect(visitor.page.locator("#gallery li")).to_have_count(1)


def test_a_session_that_has_ended(visitor: Visitor) -> None:
    """What an account's page sends is no guest's when the session has ended meanwhile."""
    visitor.be("orhan", "12345")
    visitor.goto("/console/images")
    visitor.context.clear_cookies()
    visitor.refused.add("/images")
    visitor.page.get_by_label("Upload an image").set_input_files(PICTURE)
    row = visitor.page.locator("#uploads li")
    expect(row).to_contain_text("Your session has ended: sign in")
    expect(row.get_by_role("button", name="Try again")).to_be_hidden()
    expect(visitor.page.locator("header")).to_contain_text("orhan")
    assert visitor.context.cookies() == []


def test_the_gallery_is_not_taken_from_anybody(visitor: Visitor) -> None:
    """While somebody is asked whether to delete an image, an upload does not redraw the gallery."""
    with_images(visitor)
    visitor.goto("/console/images")
    page = visitor.page
    page.locator("#gallery summary", has_text="Delete").first.click()
    sure = page.get_by_role("button", name="Delete it for good").first
    expect(sure).to_be_visible()
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    expect(page.locator("#uploads li")).to_contain_text("Kept. It is in the gallery once")
    expect(sure).to_be_visible()
    expect(page.locator("#gallery li")).to_have_count(2)


def test_leaving_in_the_middle(visitor: Visitor) -> None:
    """Who leaves while a file is on its way is asked first."""
    page, held, asked = visitor.page, list[Route](), list[str]()

    def held_back(route: Route) -> None:
        held.append(route)

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    visitor.goto("/console/images")
    page.route("**/images", held_back)
    page.on("dialog", stay)
    page.get_by_label("Upload an image").set_input_files(PICTURE)
    row = page.locator("#uploads li")
    expect(row).to_contain_text("Uploading")
    page.locator("header").get_by_role("link", name="Predict").click(no_wait_after=True)
    expect(row).to_contain_text("Uploading")
    row.get_by_role("button", name="Cancel").click()
    page.locator("header").get_by_role("link", name="Predict").click()
    expect(page.get_by_role("button", name="Predict", exact=True)).to_be_visible()
    assert asked == ["beforeunload"]
