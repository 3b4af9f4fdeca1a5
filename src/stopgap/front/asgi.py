"""ASGI's words: a request's head, and its messages."""

from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
"""What the server runs: the door, or whoever stands before it."""


def values_of(scope: Scope, name: bytes) -> list[bytes]:
    """List what a header says, line by line."""
    return [value for each, value in scope["headers"] if each == name]


def has_body(scope: Scope) -> bool:
    """Tell whether a request has a body, which in HTTP/1 it has to say."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def declared_length(scope: Scope) -> int:
    """Tell how long a body is said to be; 0 where nothing is said, or it comes in chunks."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return 0
        if name == b"content-length":
            length = int(value)  # the server has refused what is no number
    return length
