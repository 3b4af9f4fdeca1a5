"""A bucket that refuses, does not answer or breaks off, and what is said of it."""

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import MappingProxyType
from typing import ClassVar

import pytest
from botocore.config import Config
from tests.buckets import BUCKET, SECRET, BucketServer, environment

from stopgap.errors import StopgapError
from stopgap.storage import s3
from stopgap.storage.object_stores import open_objects
from stopgap.storage.objects import (
    DiskFull,
    ObjectNotFound,
    ObjectStore,
    ObjectsUnavailable,
    ObjectsUnreachable,
    ObjectsUnwritable,
    check,
)

Use = Callable[[ObjectStore], object]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
DATE = "Mon, 01 Jan 2024 00:00:00 GMT"

USES: dict[str, Use] = {
    "put": lambda objects: objects.put("ab12", b"content"),
    "get": lambda objects: objects.get("ab12"),
    "delete": lambda objects: objects.delete("ab12"),
    "names": lambda objects: list(objects.names()),
    "age": lambda objects: objects.age("ab12"),
}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Use:
    """Have the test run once for each thing that is done with objects."""
    return USES[request.param]


class Scripted(BaseHTTPRequestHandler):
    """Answers whatever is asked in the same way, and counts how often that is."""

    status = 200
    code = ""
    promised = 0  # bytes that are announced beyond those that are sent
    headers_sent: ClassVar[Mapping[str, str]] = {}
    asked = 0

    def _answer(self) -> None:
        type(self).asked += 1
        body = f"<Error><Code>{self.code}</Code></Error>".encode() if self.code else b"part"
        self.send_response_only(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + self.promised))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  # the library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def scripted(
    status: int, code: str = "", promised: int = 0, headers: Mapping[str, str] = NO_HEADERS
) -> Iterator[tuple[str, type[Scripted]]]:
    """Run a server that always answers the same; give its address, and what counts."""
    told = {"status": status, "code": code, "promised": promised, "headers_sent": headers}
    script = type("Script", (Scripted,), told)
    server = HTTPServer(("127.0.0.1", 0), script)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ObjectStore]:
    """Open the bucket of any server, with little patience."""
    short = s3.PATIENCE.merge(Config(connect_timeout=0.3, read_timeout=0.3))
    monkeypatch.setattr(s3, "PATIENCE", short)

    def open_at(endpoint: str) -> ObjectStore:
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        return open_objects(f"s3://{BUCKET}/images")

    return open_at


@pytest.mark.parametrize(
    ("user", "secret", "reason"),
    [
        ("reader", SECRET, "AccessDenied"),
        ("writer", SECRET, "AccessDenied"),
        ("stopgap", "quite-a-wrong-one", "SignatureDoesNotMatch"),
        ("nobody", SECRET, "InvalidAccessKeyId"),
    ],
)
def test_says_that_it_may_not(
    bucket: BucketServer, monkeypatch: pytest.MonkeyPatch, user: str, secret: str, reason: str
) -> None:
    """Whoever may not write, or not list, or is not known, is told so; no secret is in it."""
    for name, value in bucket.environment(user, secret).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ObjectsUnwritable, match=f"{BUCKET}.*{reason}.*STOPGAP_OBJECTS") as refused:
        check(open_objects(bucket.url()))
    assert secret not in refused.value.detail
    assert BUCKET not in (refused.value.for_strangers or BUCKET)


@pytest.mark.parametrize("name", ["get", "age", "names"])
def test_says_that_there_is_no_bucket(
    bucket: BucketServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A bucket that is not there is not an object that is not there, where the server tells."""
    for variable, value in bucket.environment().items():
        monkeypatch.setenv(variable, value)
    kinds: dict[str, type[StopgapError]] = {"age": ObjectNotFound}  # HEAD has no body to tell it
    with pytest.raises(kinds.get(name, ObjectsUnwritable)):
        USES[name](open_objects("s3://another-bucket/images"))


def test_says_that_nobody_has_told_it_keys(
    bucket: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any keys, that is what is said."""
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ObjectsUnwritable, match="credentials"):
        check(open_objects(bucket.url()))


def test_says_that_nobody_listens(opened: Callable[[str], ObjectStore], use: Use) -> None:
    """A server that is not there does not answer; what is asked is refused, not lost."""
    with pytest.raises(ObjectsUnreachable, match=BUCKET):
        use(opened("http://127.0.0.1:9"))


def test_does_not_wait_for_ever(opened: Callable[[str], ObjectStore], use: Use) -> None:
    """A server that takes a request and never answers is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        objects = opened(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ObjectsUnreachable, match=r"timeout"):
            use(objects)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (500, "InternalError", ObjectsUnreachable),
        (503, "SlowDown", ObjectsUnreachable),
        (429, "TooManyRequests", ObjectsUnreachable),
        (400, "ExpiredToken", ObjectsUnwritable),
        (403, "RequestTimeTooSkewed", ObjectsUnwritable),
        (403, "QuotaExceeded", DiskFull),
        (507, "XMinioStorageFull", DiskFull),
        (507, "InsufficientStorage", DiskFull),
    ],
)
def test_tells_trouble_from_refusals(
    opened: Callable[[str], ObjectStore], status: int, code: str, kind: type[StopgapError]
) -> None:
    """What ends by itself, what somebody has to mend and what is full are three things."""
    with scripted(status, code) as (endpoint, _), pytest.raises(kind):
        opened(endpoint).put("ab12", b"content")


def test_tries_twice_what_may_succeed(opened: Callable[[str], ObjectStore]) -> None:
    """A server in trouble is asked once more, and no oftener; a refusal is one."""
    with scripted(503, "SlowDown") as (endpoint, script), pytest.raises(ObjectsUnreachable):
        opened(endpoint).get("ab12")
    assert script.asked == 2
    with scripted(403, "AccessDenied") as (endpoint, script), pytest.raises(ObjectsUnwritable):
        opened(endpoint).get("ab12")
    assert script.asked == 1


def test_gives_nobody_a_part_for_the_whole(opened: Callable[[str], ObjectStore]) -> None:
    """An object whose end does not arrive is none."""
    with scripted(200, promised=100) as (endpoint, _), pytest.raises(ObjectsUnreachable):
        opened(endpoint).get("ab12")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": DATE},
        {"Date": "today", "Last-Modified": DATE},
        {"Date": DATE.removesuffix(" GMT"), "Last-Modified": DATE},
        {"Date": DATE, "Last-Modified": "lately"},
    ],
)
def test_says_that_it_is_no_such_server(
    opened: Callable[[str], ObjectStore], headers: Mapping[str, str]
) -> None:
    """Whatever else answers at the bucket's address is told as that, also where it has no dates."""
    with scripted(200, headers=headers) as (endpoint, _), pytest.raises(ObjectsUnwritable):
        opened(endpoint).age("ab12")


def test_follows_nobody_in_a_circle(opened: Callable[[str], ObjectStore], use: Use) -> None:
    """A server that sends everybody to a page of its own is told as such."""
    there = {"Location": "http://127.0.0.1:9/login"}
    with scripted(302, headers=there) as (endpoint, _), pytest.raises(ObjectsUnavailable):
        use(opened(endpoint))


def test_lists_more_than_a_page(bucket_url: str) -> None:
    """The protocol tells a thousand names at a time; all are listed."""
    objects = open_objects(bucket_url)
    names = {f"ab{number}" for number in range(1_003)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: objects.put(name, b""), names))

    assert set(objects.names()) == names


def test_does_not_log_where_it_found_its_keys(
    bucket_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The library's own lines of no consequence stay out of the log."""
    with caplog.at_level(logging.INFO):
        check(open_objects(bucket_url))
    assert caplog.records == []
