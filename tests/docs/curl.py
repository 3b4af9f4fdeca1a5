"""Just enough of curl to run the lines of our own pages, against Flask's test client."""

import re
import shlex
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

FORM = "application/x-www-form-urlencoded"


def run(client: FlaskClient, line: str, files: dict[str, bytes], **variables: str) -> TestResponse:
    """Send what a line of curl would send.

    Args:
        client: Keeps the cookies, as `-c` and `-b` do.
        line: `curl ...`; what follows a pipe only shows the answer, and is left out.
        files: What the files that the line names hold.
        variables: What the shell would put in.
    """
    for name, value in variables.items():
        line = line.replace(f"${name}", value)
    words = shlex.split(line.partition(" | ")[0])
    assert words.pop(0) == "curl"
    call = _Call(files)
    rest = iter(words)
    for word in rest:
        call.take(word, rest)
    return client.open(call.target, method=call.method(), headers=call.headers, data=call.data())


class _Call:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.target = ""
        self.asked_method = ""
        self.headers: dict[str, str] = {"Accept": "*/*"}
        self.fields: list[str] = []
        self.body: bytes | None = None
        self.form: dict[str, tuple[BytesIO, str]] = {}

    def take(self, word: str, rest: Iterator[str]) -> None:
        """Read one option or the address.

        Raises:
            ValueError: our pages use an option that is not known here.
        """
        match word:
            case "-X":
                self.asked_method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(":")
                self.headers[name] = value.strip()
            case "-d":
                self.fields.append(next(rest))
            case "--json":
                self.headers |= {"Content-Type": "application/json", "Accept": "application/json"}
                self.fields.append(next(rest))
            case "--data-binary":
                self.body = self.files[next(rest).removeprefix("@")]
            case "-F":
                name, _, file = next(rest).partition("=@")
                self.form[name] = (BytesIO(self.files[file]), file)
            case "-b" | "-c":
                next(rest)
            case _ if re.match(r"https?://", word):
                address = urlsplit(word)
                self.target = f"{address.path}?{address.query}" if address.query else address.path
            case _:
                raise ValueError(word)

    def method(self) -> str:
        """Tell the method: asked for, or as the options have it."""
        sends = self.fields or self.form or self.body is not None
        return self.asked_method or ("POST" if sends else "GET")

    def data(self) -> bytes | dict[str, tuple[BytesIO, str]] | None:
        """Tell the body."""
        if self.fields:
            self.headers.setdefault("Content-Type", FORM)
            return "&".join(self.fields).encode()
        return self.form or self.body
