"""WSGI: how the application is called, in a thread that waits for no client.

The request is there, whole, before the call, and the reply is taken away, whole, after it. So
neither who sends slowly nor who reads slowly holds a thread, and the threads need no event loop.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from a2wsgi.wsgi import build_environ

from stopgap.front.answers import Headers
from stopgap.front.asgi import Scope

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
    environ: dict[str, Any] = dict(build_environ(scope, body))  # type: ignore[arg-type]  # plain dicts here
    raw, query = scope["raw_path"].decode("latin-1"), environ["QUERY_STRING"]
    environ["wsgi.file_wrapper"] = File
    environ["RAW_URI"] = f"{raw}?{query}" if query else raw
    return environ
