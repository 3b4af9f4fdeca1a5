"""The mail's images: each way to upload one, and who can fetch it."""

import re
from datetime import datetime, timedelta

import pytest
from tests.acceptance.client import BROWSER, Answer, Client, File
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.server import Server
from tests.pictures import SECRET, SIZE, each_kind, photograph, png, unpacked, with_metadata

PATH = re.compile(r"/images/[0-9a-f]{32,}\.(jpg|png|webp|gif)")
MEDIA_TYPES = {kind: f"image/{kind}".replace("jpg", "jpeg") for kind in each_kind()}


def assert_kept(answer: Answer) -> str:
    """Hold an answer against the mail: the image's path on the server; return it."""
    assert answer.status == 201, answer.body
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert PATH.fullmatch(answer.text)
    assert answer.header("Location") == answer.text
    return answer.text


@pytest.mark.parametrize("target", ["/images", "/images/"])
@pytest.mark.parametrize("field", ["image", "file", "file1"])
def test_a_form(client: Client, target: str, field: str) -> None:
    """A multipart form brings an image in the field `image`, `file` or `file1`."""
    path = assert_kept(client.post_multipart(target, {field: File(content=png()), "note": "hi"}))
    assert client.get(path).status == 200


@pytest.mark.parametrize("kind", each_kind())
def test_each_kind(client: Client, kind: str) -> None:
    """JPEG, PNG, WebP and GIF are recognised by what they hold, whatever they are called."""
    content = each_kind()[kind]
    called = File(content=content, name="../../etc/pa\\sswd\u00e9.exe", media_type="text/html")
    for answer in (
        client.post_multipart("/images", {"image": called}),
        client.post("/images", content, "image/png"),
    ):
        path = assert_kept(answer)
        assert path.endswith(f".{kind}")
        fetched = client.get(path)
        assert fetched.status == 200
        assert fetched.header("Content-Type") == MEDIA_TYPES[kind]
        assert fetched.header("Content-Length") == str(len(fetched.body))
        assert unpacked(fetched.body).size == SIZE


@pytest.mark.parametrize(
    "media_type", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_raw_body(client: Client, media_type: str) -> None:
    """The raw body is an image too, whatever a program says that it is."""
    assert_kept(client.post("/images", png(), media_type))


def test_a_raw_body_of_no_type(client: Client) -> None:
    """The raw body is an image too, if nothing says what it is."""
    assert_kept(client.send("POST", "/images", png()))


def test_as_json(client: Client) -> None:
    """Who asks for JSON gets an object that describes the image."""
    answer = client.post("/images", png(), "image/png", accept="application/json")
    assert answer.status == 201
    assert answer.header("Content-Type") == "application/json"
    image = answer.json()
    assert list(image) == [
        "path",
        "media_type",
        "width",
        "height",
        "bytes",
        "created_at",
        "expires_at",
    ]
    assert answer.header("Location") == image["path"]
    assert (image["media_type"], image["width"], image["height"]) == ("image/png", *SIZE)
    assert image["bytes"] == len(client.get(image["path"]).body)
    life = datetime.fromisoformat(image["expires_at"]) - datetime.fromisoformat(image["created_at"])
    assert life == timedelta(hours=24)


def test_an_upload_starts_a_guests_session(client: Client) -> None:
    """In the demo an upload without a session starts a guest's, who has a list of images."""
    answer = client.upload(png())
    assert "Max-Age=86400" in (answer.header("Set-Cookie") or "")
    second = client.upload(png())
    assert second.header("Set-Cookie") is None
    listed = [image["path"] for image in client.get("/images").json()]
    assert listed == [second.text, answer.text]


def test_who_has_a_guests_path_can_read_it(demo: Server, client: Client) -> None:
    """A guest's image can be read by whoever has its path, but deleted by that guest alone."""
    path = client.upload(png()).text
    for other in (demo.client(), demo.client(), demo.client()):
        assert other.get(path).status == 200
        other.sign_in("orhan", "12345")
        assert other.get(path).status == 200
        assert_problem(other.send("DELETE", path), 404)
    assert client.send("DELETE", path).status == 204
    assert_problem(client.get(path), 404)


def test_an_accounts_image_is_its_own(demo: Server, client: Client) -> None:
    """An account's images are that account's alone; to others there is nothing."""
    client.sign_in("orhan", "12345")
    image = client.post("/images", png(), "image/png", accept="application/json").json()
    assert image["expires_at"] is None
    assert client.get(image["path"]).status == 200
    guest = demo.client()
    guest.sign_in("ann", "abc")
    for other in (demo.client(), guest):
        assert_problem(other.get(image["path"]), 404)
    assert_problem(guest.send("DELETE", image["path"]), 404)
    assert_problem(demo.client().send("DELETE", image["path"]), 401)
    assert client.get(image["path"]).status == 200
    assert image["path"] in client.get("/").text
    assert client.send("DELETE", image["path"]).body == b""


def test_an_etag(client: Client) -> None:
    """An image has a strong ETag, and is not sent again to who has it."""
    path = client.upload(png()).text
    etag = client.get(path).header("ETag") or ""
    assert re.fullmatch(r'"[^"]+"', etag)
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(path, if_none_match=sent)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.header("ETag") == etag
    assert client.get(path, if_none_match='"other"').status == 200


def test_head_of_an_image(client: Client) -> None:
    """`HEAD` tells an image's type and length."""
    path = client.upload(png()).text
    answer = client.send("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(client.get(path).body))


def test_an_image_cannot_run(client: Client) -> None:
    """A browser shows an image as an image and nothing else, and asks before it shows it again."""
    answer = client.get(client.upload(png()).text)
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in (answer.header("Content-Security-Policy") or "")
    assert answer.header("Cache-Control") == "private, no-cache"


@pytest.mark.parametrize("kind", each_kind())
def test_no_metadata_is_left(client: Client, kind: str) -> None:
    """Where a photo was taken, and all else that it says, is gone."""
    content = with_metadata(kind)
    assert SECRET in content
    fetched = client.get(client.upload(content).text)
    assert SECRET not in fetched.body
    assert b"Exif" not in fetched.body
    assert not unpacked(fetched.body).getexif()


def test_orientation_is_applied(client: Client) -> None:
    """A photo that was taken with the camera on its side stands upright without its Exif."""
    fetched = client.get(client.upload(with_metadata("jpg", orientation=6)).text)
    assert unpacked(fetched.body).size == SIZE[::-1]


def test_a_browsers_form(client: Client) -> None:
    """A browser's own form is led to the first page, which shows the path."""
    client.headers |= BROWSER
    answer = client.post_multipart("/images", {"image": File(content=png())})
    assert (answer.status, answer.header("Location")) == (303, "/")
    client.cookie = answer.session_id
    assert PATH.search(client.get("/").text)


def test_production_has_no_guests(production: Server) -> None:
    """In production an upload without a session or key is refused."""
    client = production.client()
    assert_problem(client.post("/images", png(), "image/png"), 401)
    assert_problem(client.get("/images"), 401)


@pytest.mark.parametrize(
    "name", ["x", "..", "%2e%2e", "0" * 64 + ".png", "a%00b.png", "..%2f..%2fsecret", "%FF"]
)
def test_what_is_no_image(client: Client, name: str) -> None:
    """A path that nobody was given is not found."""
    assert_problem(client.get(f"/images/{name}"), 404)


def test_conditions_for_changes_are_none_for_fetching(client: Client) -> None:
    """An image is sent whatever its asker would have it be."""
    path = client.upload(png()).text
    assert client.get(path, if_match='"x"').status == 200


def test_a_large_one_by_the_page(client: Client) -> None:
    """The page's own form takes what the interface takes, also where there is no script."""
    client.sign_in("orhan", "12345")
    large = photograph((4000, 3000))
    assert len(large) > 2**20
    answer = client.post_multipart("/console/images", {"image": File(content=large)}, **BROWSER)
    assert answer.status == 303, answer.body
