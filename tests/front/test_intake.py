"""Intake reads a request whole, within its bounds."""

import asyncio
import resource
from contextlib import ExitStack

import pytest
from tests.front.loops import in_a_loop
from tests.front.requests import begun, playing, scope, sending

from stopgap.errors import Overloaded
from stopgap.front.asgi import Receive, Scope
from stopgap.front.intake import LARGE, MEMORY_MAX, PIECE, PIECES, Intake
from stopgap.problems import AddressTooLong, BodyLate, BodyMalformed, BodyTooLarge
from stopgap.storage.objects import DiskFull

ALLOWED = 1_000
CHUNKED = (b"transfer-encoding", b"chunked")


def read(scope: Scope, receive: Receive, allowed: int = ALLOWED) -> bytes:
    """Take a request in, and read its body."""

    async def run() -> bytes:
        with await Intake(seconds=0.05, places=1).read(scope, receive, allowed) as body:
            return body.read()

    return asyncio.run(run())


def test_a_chunked_body_arrives_whole() -> None:
    """Its pieces are one body."""
    assert read(scope("/", CHUNKED), sending(b"abc", b"def")) == b"abcdef"


def test_no_body_is_waited_for() -> None:
    """A request without a body says so."""
    assert read(scope(), playing([])) == b""


@pytest.mark.parametrize("size", [0, 1, MEMORY_MAX, MEMORY_MAX + 1, 1_000_000])
def test_every_byte_is_read(size: int) -> None:
    """A body up to the bound, the bound itself included, is handed over whole."""
    content = bytes(range(256)) * (size // 256 + 1)
    chunks = [content[:size][at : at + 50_000] for at in range(0, size, 50_000)]
    assert read(scope("/", CHUNKED), sending(*chunks), size) == content[:size]


@pytest.mark.parametrize("size", [1_001, 50_000])
def test_too_large(size: int) -> None:
    """A body above the bound is refused, however it is sent."""
    chunks = [b"x" * 100] * (size // 100)
    with pytest.raises(BodyTooLarge):
        read(scope("/", CHUNKED), sending(*chunks, b"x" * (size % 100)))


@pytest.mark.parametrize("size", [1, MEMORY_MAX, MEMORY_MAX + 1])
def test_a_body_as_long_as_declared_has_ended(size: int) -> None:
    """Nobody waits to be told so: the server says it once more, a turn of the loop later."""
    declared = scope("/", (b"content-length", b"%d" % size))
    assert read(declared, begun(size), size) == b"x" * size


def test_chunks_have_their_own_end() -> None:
    """A length beside chunks says nothing about them (RFC 9112, section 6.3)."""
    both = scope("/", (b"content-length", b"3"), CHUNKED)
    assert read(both, sending(b"abc", b"def")) == b"abcdef"


def test_a_huge_declared_body_is_refused_unread() -> None:
    """A body that says it is too large is refused before it is read."""
    with pytest.raises(BodyTooLarge):
        read(scope("/", (b"content-length", b"1001")), playing([]))


def test_too_late() -> None:
    """A body that does not arrive in time is refused."""
    with pytest.raises(BodyLate):
        read(scope("/", (b"content-length", b"9")), playing([]))


def test_ended_early() -> None:
    """A body that ends before it is whole is refused, in case somebody still reads."""
    with pytest.raises(BodyMalformed):
        read(scope("/", CHUNKED), playing([{"type": "http.disconnect"}]))


@pytest.mark.parametrize(("size", "count"), [(1, PIECES), (PIECE, 2 * PIECES), (1_400, 7_500)])
def test_small_pieces(size: int, count: int) -> None:
    """A body may come in small pieces: a short one byte by byte, 10 MB as a network cuts it."""
    receive = sending(*[b"x" * size] * count)
    assert len(read(scope("/", CHUNKED), receive, size * count)) == size * count


@pytest.mark.parametrize("size", [0, 1, PIECE // 2])
def test_too_small_pieces(size: int) -> None:
    """A body in many too small pieces is refused: each costs the same, however small it is."""
    receive = sending(*[b"x" * size] * 3 * PIECES)
    with pytest.raises(BodyMalformed, match="in pieces of less than 64 bytes"):
        read(scope("/", CHUNKED), receive, 1_000_000)


def test_too_long_an_address() -> None:
    """A path and query above 8,192 bytes together are refused."""
    with pytest.raises(AddressTooLong):
        read(scope(raw_path=b"/" + b"a" * 8_000, query_string=b"b" * 200), sending())


async def take(intake: Intake, receive: Receive) -> bytes:
    """Take a large chunked body in."""
    with await intake.read(scope("/", CHUNKED), receive, 1_000_000) as body:
        return body.read()


@pytest.mark.parametrize(("places", "size"), [(LARGE, 1), (1_000, MEMORY_MAX + 1)])
@in_a_loop
async def test_who_is_slow_makes_room(places: int, size: int) -> None:
    """When too many are sending, or too many large bodies are kept, the slowest is sent away."""
    intake = Intake(seconds=30, places=places)
    slow = [asyncio.create_task(take(intake, begun(size))) for _ in range(LARGE)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):  # all have just begun
        await take(intake, sending(b"x" * size))
    await asyncio.sleep(1.05)
    assert await take(intake, sending(b"x" * size)) == b"x" * size
    with pytest.raises(Overloaded):
        await slow[0]
    assert not any(each.done() for each in slow[1:])
    intake.stop()
    for each in slow[1:]:
        with pytest.raises(Overloaded):
            await each


@in_a_loop
async def test_what_was_read_keeps_its_place() -> None:
    """Nobody is sent away whose body is there, though it takes a place until it is used up."""
    intake = Intake(seconds=30, places=1_000)
    large = b"x" * (MEMORY_MAX + 1)
    with ExitStack() as kept:
        for _ in range(LARGE):
            body = await intake.read(scope("/", CHUNKED), sending(large), 1_000_000)
            kept.enter_context(body)
        await asyncio.sleep(1.05)
        with pytest.raises(Overloaded):
            await take(intake, sending(large))
        assert await take(intake, sending(b"small")) == b"small"
    assert await take(intake, sending(large)) == large


def test_no_room_for_a_large_body() -> None:
    """A body that has to wait on a disk without room is refused; a short one needs none."""
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, room[1]))
    try:
        with pytest.raises(DiskFull):
            read(scope("/", CHUNKED), sending(bytes(MEMORY_MAX), b"x"), 2 * MEMORY_MAX)
        for size in (1, 100, 8_191, 8_192, 70_000):  # what is written at once, or in the end
            with pytest.raises(DiskFull):
                read(scope("/", CHUNKED), sending(bytes(MEMORY_MAX), bytes(size)), 4 * MEMORY_MAX)
        assert read(scope("/", CHUNKED), sending(b"abc")) == b"abc"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
