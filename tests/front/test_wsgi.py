"""How a WSGI application is called."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

import pytest
from tests.front.requests import scope

from stopgap.front.wsgi import File, Reply, call

Start = Callable[..., Callable[[bytes], object]]
OK = ("200 OK", [("Content-Type", "text/plain"), ("X-A", "é")])


def called(
    application: Callable[[dict[str, Any], Start], Iterable[bytes]], **changed: object
) -> Reply:
    """Call an application."""
    return call(
        application, scope("/a b", raw_path=b"/a%20b", **changed), BytesIO(b"body"), {"known": 12.5}
    )


def test_what_it_is_told() -> None:
    """The application is told the address as it was sent, and what is known; and reads the body."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        seen.update(environ)
        start(*OK)
        return [environ["wsgi.input"].read()]

    reply = called(application, query_string=b"x=%31")
    assert reply.body == b"body"
    assert (seen["PATH_INFO"], seen["RAW_URI"]) == ("/a b", "/a%20b?x=%31")
    assert (seen["QUERY_STRING"], seen["REMOTE_ADDR"]) == ("x=%31", "192.0.2.1")
    assert seen["known"] == 12.5
    called(application)
    assert seen["RAW_URI"] == "/a%20b"


def environ_of(*headers: tuple[bytes, bytes], body: bytes = b"", **changed: object) -> Any:
    """Tell what an application is told of a request."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        seen.update(environ)
        start(*OK)
        return []

    call(application, scope("/", *headers, **changed), BytesIO(body), {})
    return seen


def test_a_chunked_body_gets_its_length() -> None:
    """WSGI has no other way to tell where it ends."""
    seen = environ_of((b"transfer-encoding", b"chunked"), (b"accept", b"*/*"), body=b"abcdef")
    assert (seen["CONTENT_LENGTH"], seen["HTTP_ACCEPT"]) == ("6", "*/*")
    assert "HTTP_TRANSFER_ENCODING" not in seen


def test_no_body_gets_no_length() -> None:
    """A request without a body stays one."""
    assert not environ_of().get("CONTENT_LENGTH")


def test_a_name_with_an_underscore_is_left_out() -> None:
    """It could not be told from the one with a hyphen, which a proxy may have vouched for."""
    seen = environ_of((b"x-forwarded-for", b"192.0.2.1"), (b"x_forwarded_for", b"198.51.100.7"))
    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"


def test_cookies_of_several_lines_are_one() -> None:
    """They are joined as cookies are, not by a comma."""
    seen = environ_of((b"cookie", b"a=b"), (b"accept", b"*/*"), (b"cookie", b"stopgap_session=1"))
    assert seen["HTTP_COOKIE"] == "a=b; stopgap_session=1"


def test_another_protocol_is_not_offered() -> None:
    """A request that would rather go on in another protocol is answered in this one."""
    assert "HTTP_UPGRADE" not in environ_of((b"upgrade", b"websocket"))


def test_a_query_that_is_no_ascii_is_encoded() -> None:
    """What WSGI cannot hold is percent-encoded; the rest stays as it was."""
    seen = environ_of(query_string="month=août&x=%41+b".encode())
    assert seen["QUERY_STRING"] == "month=ao%C3%BBt&x=%41+b"


def test_what_it_answers() -> None:
    """Status, headers and every piece come back, and what is to be closed is closed."""
    closed = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"b", b"", b"c"])

        def close(self) -> None:
            closed.append(1)

    def application(_: dict[str, Any], start: Start) -> Pieces:
        start(*OK)(b"a")
        return Pieces()

    reply = called(application)
    assert (reply.status, reply.body) == (200, b"abc")
    assert reply.headers == [(b"content-type", b"text/plain"), (b"x-a", b"\xe9")]
    assert closed == [1]


def test_a_file_is_handed_over() -> None:
    """A file is not read here, and stays open."""
    file = BytesIO(b"content")

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start(*OK)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 8192)
        return wrapped

    reply = called(application)
    assert isinstance(reply.body, File)
    assert reply.body.read(3) == b"con"
    assert b"".join(reply.body) == b"tent"
    reply.body.close()
    assert file.closed


def test_what_it_raises() -> None:
    """An application that raises has not answered."""

    def application(_: dict[str, Any], start: Start) -> list[bytes]:
        start(*OK)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        called(application)
