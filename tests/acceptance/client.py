"""A client that sends exactly what it is told: no normalising, no redirects, no retries."""

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import urlencode

TIMEOUT = 30
"""Seconds after which a test gives up on an answer."""

COOKIE = "stopgap_session"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
"""What a browser says when a person uses a page's own form."""

BOUNDARY = "a-boundary-that-stands-in-no-image"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file in a multipart form."""

    content: bytes
    name: str = "picture.png"
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server sent back."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """Tell a header's value; None if it is not there, an error if it is there twice."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def session_id(self) -> str | None:
        """The session id that the answer sets, if it sets one."""
        found = re.match(rf"{COOKIE}=([^;]+);", self.header("Set-Cookie") or "")
        return found[1] if found else None


def exchange(port: int, request: bytes, *, method: str = "GET", half_close: bool = False) -> Answer:
    """Send bytes as they are, and read one answer.

    Raises:
        ConnectionError, http.client.HTTPException: there is none.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        # a server may answer, and close, before it has read all; then its answer counts
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer from a connection."""
    response = http.client.HTTPResponse(connection, method=method)
    with response:
        response.begin()
        body = response.read()
    return Answer(status=response.status, headers=response.getheaders(), body=body)


def read_reply(answers: BinaryIO) -> tuple[int, dict[bytes, bytes], bytes]:
    """Read one answer of a connection that may stay: its status, what its head tells, its body.

    Raises:
        OSError, ValueError: the connection ended before.
    """
    status = int(answers.readline()[9:12])
    told: dict[bytes, bytes] = {}
    while line := answers.readline().rstrip():
        name, _, value = line.partition(b":")
        told[name.lower()] = value.strip()
    length = int(told[b"content-length"]) if b"content-length" in told else -1
    body = answers.read(max(length, 0))
    if len(body) != length:
        raise ConnectionError("the answer is not whole")
    return status, told, body


def head(method: str, target: str | bytes, headers: Mapping[str, str]) -> bytes:
    """Write the head of a request; the target goes out as it is."""
    raw = target if isinstance(target, bytes) else target.encode("ascii")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return method.encode() + b" " + raw + b" HTTP/1.1\r\n" + lines.encode("latin-1") + b"\r\n"


@dataclass(kw_only=True)
class Client:
    """A program, or a person's browser, that uses the server on a port of this machine."""

    port: int
    cookie: str | None = None  # the session id that it holds
    headers: dict[str, str] = field(default_factory=dict)  # sent with every request

    def send(
        self,
        method: str,
        target: str | bytes,
        body: bytes | None = None,
        /,
        **headers: str,
    ) -> Answer:
        """Send one request; `content_type=` is written Content-Type, and so on."""
        written = {"Host": f"127.0.0.1:{self.port}", "Connection": "close"} | self.headers
        if self.cookie is not None:
            written["Cookie"] = f"{COOKIE}={self.cookie}"
        if body is not None:
            written["Content-Length"] = str(len(body))
        written |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        request = head(method, target, written) + (body or b"")
        return exchange(self.port, request, method=method)

    def get(self, target: str | bytes, **headers: str) -> Answer:
        """Send a GET."""
        return self.send("GET", target, **headers)

    def post(self, target: str, body: bytes, media_type: str, **headers: str) -> Answer:
        """Send a body."""
        told = {"content_type": media_type} | headers
        return self.send("POST", target, body, **told)

    def post_json(self, target: str, value: object, **headers: str) -> Answer:
        """Send a value as JSON."""
        return self.post(target, json.dumps(value).encode(), "application/json", **headers)

    def post_form(self, target: str, values: Mapping[str, str], **headers: str) -> Answer:
        """Send values as a form does."""
        body = urlencode(values).encode()
        return self.post(target, body, "application/x-www-form-urlencoded", **headers)

    def post_multipart(
        self, target: str, values: Mapping[str, str | File], **headers: str
    ) -> Answer:
        """Send values and files as a form with files does."""
        media_type = f"multipart/form-data; boundary={BOUNDARY}"
        return self.post(target, multipart(values), media_type, **headers)

    def sign_in(self, name: str, password: str) -> Answer:
        """Sign in, and keep the session."""
        answer = self.post_json("/login", {"username": name, "password": password})
        self.cookie = answer.session_id
        return answer

    def upload(self, content: bytes) -> Answer:
        """Upload an image as a raw body, and keep the session that this may begin."""
        answer = self.post("/images", content, "application/octet-stream")
        self.cookie = answer.session_id or self.cookie
        return answer


def multipart(values: Mapping[str, str | File]) -> bytes:
    """Write a multipart form's body."""
    parts = []
    for name, value in values.items():
        if isinstance(value, File):
            about = f'; filename="{value.name}"\r\nContent-Type: {value.media_type}'
            content = value.content
        else:
            about, content = "", value.encode()
        opening = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{about}\r\n\r\n'
        parts.append(opening.encode() + content + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
