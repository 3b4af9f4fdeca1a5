"""The rules of images: brought, kept, fetched, listed and deleted."""

import secrets
import struct
import zlib
from dataclasses import replace
from http import HTTPStatus

from stopgap.contracts.conformance.calling import Answer, Part, Request, multipart_request
from stopgap.contracts.conformance.visiting import (
    Broken,
    NotChecked,
    Rule,
    Visit,
    expect_header,
    expect_location,
    expect_problem,
    expect_session_cookie,
    expect_status,
    rules,
)


def small_png(shade: int) -> bytes:
    """Draw a PNG of eight grey pixels by eight (PNG, third edition, sections 5 and 11)."""
    rows = b"".join(b"\0" + bytes([shade % 256]) * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def _upload(visit: Visit, request: Request) -> Answer:
    """Upload an image with the visitor's session."""
    return visit.call(replace(request, headers={**request.headers, "Cookie": visit.session()}))


def _expect_kept(visit: Visit, request: Request) -> str:
    """Hold that an upload comes back as a path that leads to the image; tell the path."""
    answer = _upload(visit, request)
    expect_status(answer, HTTPStatus.CREATED)
    path = answer.body.decode("latin-1")
    if answer.media_type != "text/plain" or not path.startswith("/images/"):
        raise Broken(answer.request, "the image's path in text/plain", answer)
    expect_location(answer, path)
    _expect_image(visit, path)
    return path


def _expect_image(visit: Visit, path: str) -> Answer:
    answer = visit.call(Request(target=path, headers={"Cookie": visit.session()}))
    expect_status(answer, HTTPStatus.OK)
    if answer.media_type != "image/png" or not answer.body.startswith(b"\x89PNG"):
        raise Broken(answer.request, "the PNG that was uploaded", answer)
    return answer


def _delete(visit: Visit, path: str) -> Answer:
    return visit.call(Request(method="DELETE", target=path, headers={"Cookie": visit.session()}))


def _new_png() -> bytes:
    return small_png(secrets.randbelow(256))


def _multipart_image(content: bytes, name: str = "image") -> Request:
    part = Part(name=name, content=content, filename="picture.png", media_type="image/png")
    return multipart_request("/images", [part])


def _image_in(field: str) -> Rule:
    def hold(visit: Visit) -> None:
        _delete(visit, _expect_kept(visit, _multipart_image(_new_png(), field)))

    return Rule(
        id=f"image-{field}",
        sentence=f"An image in the form's {field} comes back as a path, which leads to it.",
        hold=hold,
    )


def _raw(content: bytes, **headers: str) -> Request:
    kind = {"Content-Type": "image/png"}
    return Request(method="POST", target="/images", headers=kind | headers, body=content)


def _image_raw(visit: Visit) -> None:
    _delete(visit, _expect_kept(visit, _raw(_new_png())))


def _image_guest(visit: Visit) -> None:
    answer = visit.call(_raw(_new_png()))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return
    expect_status(answer, HTTPStatus.CREATED)
    expect_session_cookie(visit, answer, "HttpOnly")
    path = answer.header("Location")
    expect_status(visit.call(Request(target=path)), HTTPStatus.OK)
    visit.call(Request(method="DELETE", target=path, headers={"Cookie": answer.cookie}))


def _image_json(visit: Visit) -> None:
    answer = _upload(visit, _raw(_new_png(), Accept="application/json"))
    expect_status(answer, HTTPStatus.CREATED)
    told = answer.json()
    known = told if isinstance(told, dict) else {}
    expected = {"media_type": "image/png", "width": 8, "height": 8}
    path = str(known.get("path", ""))
    if not path.startswith("/images/") or known | expected != known:
        raise Broken(answer.request, f"an object with path and {expected}", answer)
    _expect_image(visit, path)
    _delete(visit, path)


def _image_etag(visit: Visit) -> None:
    path = _uploaded(visit)
    answer = _expect_image(visit, path)
    etag = expect_header(answer, "ETag", '"')
    headers = {"Cookie": visit.session(), "If-None-Match": etag}
    again = visit.call(Request(target=path, headers=headers))
    _delete(visit, path)
    expect_status(again, HTTPStatus.NOT_MODIFIED)


def _uploaded(visit: Visit) -> str:
    """Upload an image for a rule that is about something else."""
    answer = _upload(visit, _raw(_new_png()))
    path = answer.header("Location")
    if not path.startswith("/images/"):
        raise NotChecked("no image could be uploaded")
    return path


def _image_list(visit: Visit) -> None:
    path = _uploaded(visit)
    answer = visit.call(Request(target="/images", headers={"Cookie": visit.session()}))
    _delete(visit, path)
    listed = answer.json()
    images = listed if isinstance(listed, list) else []
    if path not in [image.get("path") for image in images if isinstance(image, dict)]:
        raise Broken(answer.request, f"a list with {path} in it", answer)
    expect_problem(visit.call(Request(target="/images")), HTTPStatus.UNAUTHORIZED)


def _image_private(visit: Visit) -> None:
    path = _uploaded(visit)
    try:
        answer = visit.call(Request(method="DELETE", target=path))
        expect_problem(answer, HTTPStatus.UNAUTHORIZED)
        _expect_no_strangers(visit, path, {})
        _expect_no_guest(visit, path)
    finally:
        _delete(visit, path)


def _expect_no_guest(visit: Visit, path: str) -> None:
    """Hold that another guest, if there are any, can do nothing to the visitor's image."""
    guest = visit.call(_raw(_new_png()))
    if guest.status != HTTPStatus.CREATED or not guest.cookie:
        return
    headers = {"Cookie": guest.cookie}
    answer = visit.call(Request(method="DELETE", target=path, headers=headers))
    visit.call(Request(method="DELETE", target=guest.header("Location"), headers=headers))
    expect_problem(answer, HTTPStatus.NOT_FOUND)
    _expect_no_strangers(visit, path, headers)


def _expect_no_strangers(visit: Visit, path: str, headers: dict[str, str]) -> None:
    """Hold that the visitor still has an image, and that others see it only if it is a guest's."""
    _expect_image(visit, path)
    if visit.visitor.account:
        answer = visit.call(Request(target=path, headers=headers))
        expect_problem(answer, HTTPStatus.NOT_FOUND)


def _image_delete(visit: Visit) -> None:
    path = _uploaded(visit)
    expect_status(_delete(visit, path), HTTPStatus.NO_CONTENT)
    gone = visit.call(Request(target=path, headers={"Cookie": visit.session()}))
    expect_problem(gone, HTTPStatus.NOT_FOUND)


def _image_unrecognised(visit: Visit) -> None:
    for content in (
        b"<html><script>1</script></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ):
        answer = _upload(visit, _multipart_image(content))
        expect_problem(answer, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _image_broken(visit: Visit) -> None:
    answer = _upload(visit, _multipart_image(_new_png()[:-24]))
    expect_problem(answer, HTTPStatus.BAD_REQUEST)


def _image_missing(visit: Visit) -> None:
    part = Part(name="other", content=b"text")
    for request in (multipart_request("/images", [part]), _raw(b"")):
        expect_problem(_upload(visit, request), HTTPStatus.BAD_REQUEST, {"image"})


IMAGE_RULES = (
    *(_image_in(field) for field in ("image", "file", "file1")),
    *rules(
        {
            _image_raw: "An image as the raw body does the same.",
            _image_guest: (
                "An upload without a session starts a guest's, or is 401 where there are none."
            ),
            _image_json: "An upload that accepts application/json is answered with an object.",
            _image_etag: "An image has an ETag, and 304 for it.",
            _image_list: "GET /images lists one's own images, and 401 to nobody.",
            _image_private: "Nobody else can delete an image, or see an account's.",
            _image_delete: "A deleted image is gone: 404.",
            _image_unrecognised: "HTML and SVG are no images, whatever they are called: 415.",
            _image_broken: "An image that is cut short is 400.",
            _image_missing: "An upload without an image is 400.",
        }
    ),
)
"""What holds for images."""
