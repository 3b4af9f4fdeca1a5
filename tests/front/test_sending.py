"""Answers are sent whole, or as fast as they are read; and who refuses to read holds up nobody."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import IO, cast

import pytest
from tests.front.loops import in_a_loop, in_simulated_time
from tests.front.requests import Client, begun, playing, scope, sending

from stopgap.clock import RandomIds
from stopgap.errors import Overloaded
from stopgap.front.event_loop import quicken
from stopgap.front.sending import HELD_BYTES, LINGER_SECONDS, PIECE, READ_SECONDS, Sending
from stopgap.front.slow_clients import TIME_ENOUGH
from stopgap.front.wsgi import File, Reply
from stopgap.problems import BodyTooLarge

LENGTH = (b"content-length", b"9")


def sender(places: int = 10) -> Sending:
    """Make a sender."""
    return Sending(RandomIds(), places=places)


def reply(body: bytes | File) -> Reply:
    """Make a reply."""
    return Reply(status=201, headers=[(b"x-a", b"b")], body=body)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
@in_a_loop
async def test_every_byte_is_sent(size: int) -> None:
    """A reply arrives whole, be it in memory or in a file, which is then closed."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    file = BytesIO(content)
    for body in (content, File(file)):
        client = Client()
        await sender().reply(reply(body), client.send, sending())
        assert (client.status, client.headers) == (201, {b"x-a": b"b"})
        assert client.body == content
        assert client.whole
        assert max(len(message["body"]) for message in client.messages[1:]) <= PIECE
    assert file.closed


@pytest.mark.parametrize("held", [False, True], ids=["file", "memory"])
@in_a_loop
async def test_who_reads_slowly_makes_room(held: bool, caplog: pytest.LogCaptureFixture) -> None:
    """When too much is read slowly, the slowest is cut off; until then a newcomer is refused."""
    some, content = sender(1), bytes(HELD_BYTES // 4)

    def long() -> Reply:
        return reply(content if held else File(BytesIO(content)))

    stuck = [Client(takes=2) for _ in range(4 if held else 1)]
    tasks = [asyncio.create_task(some.reply(long(), client.send, sending())) for client in stuck]
    await asyncio.sleep(0.1)
    newcomer = Client()
    with pytest.raises(Overloaded):
        await some.reply(long(), newcomer.send, sending())
    assert newcomer.messages == []
    await asyncio.sleep(TIME_ENOUGH)
    await some.reply(long(), newcomer.send, sending())
    assert newcomer.body == content
    await tasks[0]
    assert not stuck[0].whole
    assert caplog.messages == ["an answer was cut off: too many others are being read, too"]
    some.announce_end()
    some.stop()
    await asyncio.gather(*tasks)
    assert len(caplog.messages) == 1


@in_a_loop
async def test_many_may_read_what_is_short() -> None:
    """It is not the number of readers that is bounded, but what is kept for them."""
    some, content = sender(), bytes(4 * PIECE)
    slow = [Client(takes=2) for _ in range(200)]
    tasks = [
        asyncio.create_task(some.reply(reply(content), client.send, sending())) for client in slow
    ]
    await asyncio.sleep(TIME_ENOUGH + 0.1)
    await some.reply(reply(content), Client().send, sending())
    assert not any(task.done() for task in tasks)
    some.stop()
    await asyncio.gather(*tasks)


class Endless:
    """A file without an end, or one that breaks off."""

    def __init__(self, pieces: int | None = None) -> None:
        self.pieces = pieces
        self.reads = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        """Read a piece.

        Raises:
            OSError: there are no more.
        """
        self.reads += 1
        if self.pieces is not None and self.reads > self.pieces:
            raise OSError("broken")
        return bytes(size)

    def close(self) -> None:
        """Note that nobody reads any more."""
        self.closed = True


@pytest.mark.parametrize("begin", [lambda _: None, quicken], ids=["later", "at once"])
@in_a_loop
async def test_a_file_is_read_for_nobody_once_the_client_is_gone(
    begin: Callable[[asyncio.AbstractEventLoop], None], caplog: pytest.LogCaptureFixture
) -> None:
    """When the client goes, its file is closed, and no more is read, however tasks are begun.

    That is no event for the log: nobody needed the room.
    """
    begin(asyncio.get_running_loop())
    file, client = Endless(), Client()
    gone = playing([{"type": "http.request"}, {"type": "http.disconnect"}])
    body = File(cast("IO[bytes]", file))
    await asyncio.wait_for(sender().reply(reply(body), client.send, gone), 5)
    assert file.closed
    assert not client.whole
    assert caplog.messages == []


@in_a_loop
async def test_a_file_that_breaks_off() -> None:
    """What cannot be read to its end is not told to be whole."""
    file, client = Endless(pieces=2), Client()
    await sender().reply(reply(File(cast("IO[bytes]", file))), client.send, sending())
    assert len(client.body) == 2 * PIECE
    assert (client.whole, file.closed) == (False, True)


class Slow(BytesIO):
    """A file of which every piece takes longer than a client has to read one."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._loop = asyncio.get_running_loop()

    def read(self, size: int | None = -1) -> bytes:
        """Read a piece."""
        pause = asyncio.sleep(READ_SECONDS + 1)
        asyncio.run_coroutine_threadsafe(pause, self._loop).result()
        return super().read(size)


@in_simulated_time
async def test_a_slow_disk_is_no_slow_client() -> None:
    """However long a file takes to be read, nobody is cut off who takes what there is."""
    client = Client()
    await sender().reply(reply(File(Slow(bytes(PIECE + 1)))), client.send, sending())
    assert len(client.body) == PIECE + 1
    assert client.whole


@in_a_loop
async def test_the_end_is_announced() -> None:
    """Once the server is to end, every answer says that its connection ends, and says it once."""
    some = sender()
    some.announce_end()
    for body in (b"", bytes(2 * PIECE)):
        client = Client()
        await some.reply(reply(body), client.send, sending())
        assert client.headers[b"connection"] == b"close"
    client = Client()
    await some.refuse(BodyTooLarge("No."), scope("/", LENGTH), sending(), client.send)
    assert client.headers[b"connection"] == b"close"


@in_a_loop
async def test_a_refusal() -> None:
    """A refusal is a problem document; without a body to come, its connection stays."""
    client = Client()
    await sender().refuse(Overloaded("No."), scope(), sending(), client.send)
    headers = client.headers
    assert client.status == client.json()["status"] == 503
    assert client.json()["request_id"] == headers[b"x-request-id"].decode()
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"content-length"]) == len(client.body)
    assert b"connection" not in headers


@in_a_loop
async def test_who_still_sends_is_listened_to() -> None:
    """Who is refused while sending is told at once, and may go on, but not for ever."""
    client, rest = Client(), sending(b"a", b"b", b"c")
    await sender().refuse(BodyTooLarge("No."), scope("/", LENGTH), rest, client.send)
    assert client.headers[b"connection"] == b"close"
    with pytest.raises(TimeoutError):  # all has been taken
        await asyncio.wait_for(rest(), 0.01)
    client = Client()
    endless = sender().refuse(BodyTooLarge("No."), scope("/", LENGTH), begun(1), client.send)
    task = asyncio.create_task(endless)
    await asyncio.sleep(0.05)
    assert client.whole
    assert not task.done()
    await asyncio.wait_for(task, LINGER_SECONDS + 0.5)


@in_simulated_time
async def test_who_reads_nothing_is_cut_off() -> None:
    """A client that takes no piece in its time does not keep its place, though nobody needs it."""
    client = Client(takes=2)
    async with asyncio.timeout(READ_SECONDS + 1):
        await sender().reply(reply(bytes(3 * PIECE)), client.send, sending())
    assert not client.whole
