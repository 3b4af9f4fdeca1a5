"""Calling a live server as its client would: over real HTTP, with bounds on all that comes back."""

import contextlib
import json
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from http.cookiejar import CookieJar
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from urllib.request import Request as JarRequest

from stopgap.errors import StartRefused

BODY_MAX = 1_048_576
"""Bytes of an answer that are read; whoever sends more is not listened to."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
"""What a browser accepts."""

TARGET_SHOWN = 200
"""Characters of an address that are shown."""


class ServerUnknown(StartRefused):
    """The server to check is not named by a plain http:// or https:// URL."""

    def __init__(self, url: str) -> None:
        shown = _without_credentials(url)
        super().__init__(
            f"{shown!r} is no address of a server; it should look like http://host:5000"
        )


def _without_credentials(url: str) -> str:
    """Leave a name and a password out of what may be no URL at all."""
    before, at, host = url.rpartition("@")
    scheme, mark, _ = before.partition("://")
    return (f"{scheme}{mark}" if mark else "") + ("…@" if at else "") + host


class ServerUnreachable(StartRefused):
    """Nobody listens where the server should be, or nobody who can be trusted."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"There is no server to check at {url}: {reason}.")


class NoAnswer(Exception):
    """The server was asked, and gave no answer that can be read as HTTP."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked. The target goes out as it is written here, percent signs and all."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    secret: bool = False  # whether the body must not be shown

    def __str__(self) -> str:
        """Tell it in one short line."""
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        shown = "(not shown)" if self.secret else _beginning(self.body, 80)
        sent = f" with {kind or 'a body'} {shown}" if self.body else ""
        cut = "…" if len(self.target) > TARGET_SHOWN else ""
        target = self.target[:TARGET_SHOWN] + cut
        return f"{self.method} {target}{sent}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    request: Request
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def __str__(self) -> str:
        """Tell it in one short line."""
        kind = self.media_type or "no type"
        return f"{self.status} {kind} {_beginning(self.body, 160)}"

    def header(self, name: str) -> str:
        """Tell a header's value; nothing if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def media_type(self) -> str:
        """Tell what the body is said to be, without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def cookie(self) -> str:
        """Tell the first cookie that is set, as a client sends it back."""
        return self.header("Set-Cookie").partition(";")[0]

    def json(self) -> Any:
        """Read the body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def _name(cookie: str) -> str:
    return cookie.partition("=")[0].strip()


def _beginning(body: bytes | None, length: int) -> str:
    text = (body or b"")[:length].decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else "·" for letter in text)
    return shown + ("…" if len(body or b"") > length else "")


class Server:
    """One server, asked one thing after the other on one connection for as long as it keeps it.

    Args:
        url: `http://host:port` or `https://host`.
        seconds: In which an answer must be there, whole.

    Raises:
        ServerUnknown: the URL is no such one.
    """

    def __init__(self, url: str, *, seconds: float = 10.0) -> None:
        try:
            parts = urlsplit(url)
            self._port = parts.port
        except ValueError as error:
            raise ServerUnknown(url) from error
        plain = parts.path in {"", "/"} and not parts.query and "@" not in parts.netloc
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            raise ServerUnknown(url)
        self.url = url
        self.secure = parts.scheme == "https"
        self._host = parts.hostname
        self._seconds = seconds
        self._connection: HTTPConnection | None = None

    def reach(self) -> None:
        """Connect.

        Raises:
            ServerUnreachable: that is not possible.
        """
        connection = self._connect()
        try:
            connection.connect()
        except ConnectionResetError:
            pass  # somebody is there, though rude; the rules will tell
        except (OSError, HTTPException, UnicodeError) as error:
            raise ServerUnreachable(self.url, _reason(error, self._seconds)) from error
        finally:
            connection.close()

    def call(self, request: Request) -> Answer:
        """Ask one thing.

        Raises:
            NoAnswer: nothing came, or too much, or nothing that is HTTP.
        """
        kept, self._connection = self._connection, None
        try:
            if kept is not None:
                with contextlib.suppress(ConnectionError):
                    return self._ask(kept, request)  # it may have been closed in the meantime
            return self._ask(self._connect(), request)
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswer(_reason(error, self._seconds)) from error

    def gets_back(self, answer: Answer, target: str) -> bool:
        """Tell whether clients that keep the cookie of an answer bring it to another address."""
        told = Message()
        for name, value in answer.headers:
            told[name] = value
        first, later = (
            JarRequest(self.url.rstrip("/") + each)  # noqa: S310  # only a cookie jar looks at it
            for each in (answer.request.target, target)
        )
        jar = CookieJar()
        jar.extract_cookies(cast("HTTPResponse", SimpleNamespace(info=lambda: told)), first)
        jar.add_cookie_header(later)
        brought = (later.get_header("Cookie") or "").split("; ")
        return _name(answer.cookie) in map(_name, brought)

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> HTTPConnection:
        if self.secure:
            context = ssl.create_default_context()
            return HTTPSConnection(self._host, self._port, timeout=self._seconds, context=context)
        return HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _ask(self, connection: HTTPConnection, request: Request) -> Answer:
        with contextlib.ExitStack() as failing:
            failing.callback(connection.close)
            with _ended_after(self._seconds, connection):
                connection.request(
                    request.method, request.target, request.body, dict(request.headers)
                )
                response = connection.getresponse()
                body = response.read(BODY_MAX + 1)
            if len(body) > BODY_MAX:
                raise NoAnswer(f"a body of more than {BODY_MAX} bytes")
            if response.length:
                raise NoAnswer("a body that is shorter than its Content-Length")
            if not response.will_close:
                self._connection = connection
                failing.pop_all()
        headers = tuple(response.getheaders())
        return Answer(request=request, status=response.status, headers=headers, body=body)


@contextlib.contextmanager
def _ended_after(seconds: float, connection: HTTPConnection) -> Iterator[None]:
    """Cut the connection after some time, also to a server that sends a byte now and then.

    Raises:
        TimeoutError: it was cut.
    """
    cut = threading.Event()

    def end() -> None:
        cut.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:
        if cut.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if cut.is_set():
        raise TimeoutError


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no whole answer within {seconds:g} seconds"
    if isinstance(error, HTTPException):
        return f"what came is no HTTP ({type(error).__name__})"
    words = error.strerror if isinstance(error, OSError) else None
    return (words or str(error) or type(error).__name__).strip().rstrip(".")


def json_request(target: str, value: object, **headers: str) -> Request:
    """Make a POST of JSON; bytes go out as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Request(
        method="POST", target=target, headers={"Content-Type": JSON} | headers, body=body
    )


def form_request(target: str, values: Mapping[str, str] | bytes, **headers: str) -> Request:
    """Make a POST of a form; bytes go out as they are."""
    body = values if isinstance(values, bytes) else urlencode(values).encode()
    return Request(
        method="POST", target=target, headers={"Content-Type": FORM} | headers, body=body
    )


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a multipart form: a text, or a file."""

    name: str
    content: bytes
    filename: str | None = None
    media_type: str = "application/octet-stream"


def multipart_request(target: str, parts: Sequence[Part], **headers: str) -> Request:
    """Make a POST of a multipart form (RFC 7578)."""
    boundary = secrets.token_hex(16)
    lines: list[bytes] = []
    for part in parts:
        disposition = f'form-data; name="{part.name}"'
        told = [f"Content-Disposition: {disposition}"]
        if part.filename is not None:
            told = [f'{told[0]}; filename="{part.filename}"', f"Content-Type: {part.media_type}"]
        lines += [f"--{boundary}".encode(), *(line.encode() for line in told), b"", part.content]
    body = b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])
    kind = f"multipart/form-data; boundary={boundary}"
    return Request(
        method="POST", target=target, headers={"Content-Type": kind} | headers, body=body
    )
