"""WSGI: how the application is called, in a thread that waits for no client.

The request is there, whole, before the call, and the reply is taken away, whole, after it. So
neither who sends slowly nor who reads slowly holds a thread, and the threads need no event loop.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote

from a2wsgi.wsgi import build_environ

from stopgap.front.answers import Headers
from stopgap.front.asgi import Scope, values_of

Application = Callable[..., Iterable[bytes]]


class File:
    """A file that the application hands over to be sent as it is (PEP 3333, wsgi.file_wrapper)."""

    def __init__(self, file: IO[bytes], _piece: int = 0) -> None:
        self._file = file
        self.read = file.read
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the application answers: all of it, or a file."""

    status: int
    headers: Headers
    body: bytes | File


def call(
    application: Application, scope: Scope, body: IO[bytes], extra: Mapping[str, object]
) -> Reply:
    """Have the application answer a request.

    Args:
        extra: Further entries of its environment.
    """
    started: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Any, _error: Any = None) -> Callable[[bytes], None]:
        started[:] = [status, headers]
        return written.append

    chunks = application({**_environ(scope, body), **extra}, start_response)
    if not isinstance(chunks, File):
        try:
            written.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
    status, headers = started
    return Reply(
        status=int(status.split(" ", 1)[0]),
        headers=[(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers],
        body=chunks if isinstance(chunks, File) else b"".join(written),
    )


def _environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """Write a scope as WSGI has it, with the address as it was sent in RAW_URI."""
    scope = _as_wsgi_holds_it(scope, body)
    environ: dict[str, Any] = dict(build_environ(scope, body))  # type: ignore[arg-type]  # plain dicts here
    raw, query = scope["raw_path"].decode("latin-1"), environ["QUERY_STRING"]
    environ["wsgi.file_wrapper"] = File
    environ["RAW_URI"] = f"{raw}?{query}" if query else raw
    return environ


REWRITTEN = frozenset({b"content-length", b"transfer-encoding", b"cookie", b"upgrade"})


def _as_wsgi_holds_it(scope: Scope, body: IO[bytes]) -> Scope:
    """Say a chunked body's length, and percent-encode what is no ASCII in the query.

    WSGI would take `x_forwarded_for` for `x-forwarded-for`, which a proxy vouches for: a header
    with such a name is left out, as nginx does. It would join two lines of cookies by a comma,
    which is none of cookies' own (RFC 6265, section 4.2.1), and knows of no other protocol.
    """
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in REWRITTEN and b"_" not in name
    ]
    if cookies := values_of(scope, b"cookie"):
        kept.append((b"cookie", b"; ".join(cookies)))
    query = quote(scope["query_string"], safe="%!$&'()*+,;=:@/?-._~[]{}|\\^`\"<>#").encode()
    length = body.seek(0, os.SEEK_END)
    body.seek(0)
    if length or values_of(scope, b"content-length"):
        kept.append((b"content-length", str(length).encode()))
    return scope | {"headers": kept, "query_string": query}
