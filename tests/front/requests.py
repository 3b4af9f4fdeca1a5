"""Requests as the server hands them over, and what is sent back."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stopgap.front.asgi import Message, Receive, Scope


def scope(path: str = "/predict", *headers: tuple[bytes, bytes], **changed: object) -> Scope:
    """Make the scope of a plain request."""
    plain: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "client": ("192.0.2.1", 1234),
        "server": ("127.0.0.1", 80),
    }
    return plain | changed


def playing(messages: Sequence[Message]) -> Receive:
    """Receive messages, and then nothing for ever."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def sending(*chunks: bytes) -> Receive:
    """Receive the chunks of a body, one after the other."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    return playing([*messages, {"type": "http.request", "body": b"", "more_body": False}])


def begun(size: int) -> Receive:
    """Receive the beginning of a body, and then nothing for ever."""
    return playing([{"type": "http.request", "body": b"x" * size, "more_body": True}])


@dataclass
class Client:
    """Takes what is sent; a slow one takes the first messages only."""

    takes: int = 1_000_000
    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """Take a message."""
        if len(self.messages) >= self.takes:
            await asyncio.Event().wait()
        self.messages.append(message)

    @property
    def status(self) -> int:
        """The answer's status."""
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The answer's headers, of which none is there twice."""
        told: list[tuple[bytes, bytes]] = self.messages[0]["headers"]
        assert len(dict(told)) == len(told)
        return dict(told)

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return b"".join(message["body"] for message in self.messages[1:])

    @property
    def whole(self) -> bool:
        """Whether the answer came to its end."""
        return len(self.messages) > 1 and not self.messages[-1].get("more_body")

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


def living(told: Client, stop: asyncio.Event) -> Receive:
    """Be told of the server's start, and of its end when that is due."""

    async def receive() -> Message:
        if told.messages:
            await stop.wait()
        return {}

    return receive
