"""Intake reads a request whole, within its bounds."""

import asyncio
from collections.abc import Sequence

import pytest

from stopgap.front.intake import Bounds, Message, Receive, Scope, replay, take_in
from stopgap.problems import AddressTooLong, BodyLate, BodyMalformed, BodyTooLarge

BOUNDS = Bounds(body_bytes=1_000, body_seconds=0.05)


def scope(**changed: object) -> Scope:
    """Make the scope of a plain request."""
    plain: Scope = {"raw_path": b"/predict", "query_string": b"", "headers": []}
    return plain | changed


def sending(*chunks: bytes) -> Receive:
    """Receive the chunks of a body, one after the other."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    return playing(messages)


def playing(messages: Sequence[Message]) -> Receive:
    """Receive messages, and then nothing for ever."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def read(scope: Scope, receive: Receive) -> tuple[Scope, bytes]:
    """Take a request in, and read its body."""

    async def run() -> tuple[Scope, bytes]:
        plain, body = await take_in(scope, receive, BOUNDS)
        with body:
            return plain, body.read()

    return asyncio.run(run())


def test_a_chunked_body_gets_its_length() -> None:
    """A chunked body arrives whole, its length said, its transfer encoding gone."""
    headers = [(b"transfer-encoding", b"chunked"), (b"accept", b"*/*")]
    plain, body = read(scope(headers=headers), sending(b"abc", b"def"))
    assert body == b"abcdef"
    assert plain["headers"] == [(b"accept", b"*/*"), (b"content-length", b"6")]


def test_no_body_gets_no_length() -> None:
    """A request without a body stays one."""
    plain, body = read(scope(), sending())
    assert (plain["headers"], body) == ([], b"")


def test_a_query_that_is_no_ascii_is_encoded() -> None:
    """What WSGI cannot hold is percent-encoded; the rest stays as it was."""
    plain, _ = read(scope(query_string="month=août&x=%41+b".encode()), sending())
    assert plain["query_string"] == b"month=ao%C3%BBt&x=%41+b"


def test_a_body_may_be_as_large_as_the_bound() -> None:
    """The bound itself is allowed."""
    assert read(scope(), sending(b"x" * 1_000))[1] == b"x" * 1_000


@pytest.mark.parametrize("size", [1_001, 4_000, 4_001, 50_000])
def test_too_large(size: int) -> None:
    """A body above the bound is refused, however it is sent."""
    with pytest.raises(BodyTooLarge):
        read(scope(), sending(*[b"x" * 100] * (size // 100), b"x" * (size % 100)))


def test_a_huge_declared_body_is_refused_unread() -> None:
    """A body that says it is far too large is refused before it is read."""
    with pytest.raises(BodyTooLarge):
        read(scope(headers=[(b"content-length", b"99999999999")]), playing([]))


def test_too_late() -> None:
    """A body that does not arrive in time is refused."""
    with pytest.raises(BodyLate):
        read(scope(headers=[(b"content-length", b"9")]), playing([]))


def test_ended_early() -> None:
    """A body that ends before it is whole is refused, in case somebody still reads."""
    with pytest.raises(BodyMalformed):
        read(scope(), playing([{"type": "http.disconnect"}]))


def test_too_long_an_address() -> None:
    """A path and query above 8,192 bytes together are refused."""
    with pytest.raises(AddressTooLong):
        read(scope(raw_path=b"/" + b"a" * 8_000, query_string=b"b" * 200), sending())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
def test_replay_hands_over_every_byte(size: int) -> None:
    """What was read is handed on whole, and ends."""
    content = bytes(range(256)) * (size // 256 + 1)
    bounds = Bounds(body_bytes=1_000_000, body_seconds=5)

    async def run() -> bytes:
        _, body = await take_in(scope(), sending(content[:size]), bounds)
        with body:
            receive, parts, more = replay(body), [], True
            while more:
                message = await receive()
                parts.append(message["body"])
                more = message["more_body"]
            return b"".join(parts)

    assert asyncio.run(run()) == content[:size]
