"""Crowding: hundreds who send, or read, as slowly as they can, beside those who predict."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tests.acceptance.client import COOKIE, head
from tests.acceptance.pressure import Pressure
from tests.acceptance.server import Server, running
from tests.pictures import packed

SLOW = 500
RATE = 200
NOISE = 0.005
"""Seconds by which a p99 differs on a machine that does other things as well."""

PROMPT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Crowded:
    """What came of it."""

    without: float  # the predictions' p99, in seconds: before and after, the higher one
    meanwhile: float
    others: float  # seconds for a login and a refusal, meanwhile
    statuses: tuple[int, ...]  # of those two

    @property
    def faults(self) -> list[str]:
        """What does not hold: nobody is held up."""
        wrong = {
            f"p99 {self.without:.4f} s, {self.meanwhile:.4f} s": (
                self.meanwhile >= 1.5 * self.without + NOISE
            ),
            f"others: {self.statuses}": self.statuses != (200, 400),
            f"others wait for {self.others:.1f} s": self.others >= PROMPT_SECONDS,
        }
        return [words for words, is_so in wrong.items() if is_so]


Crowd = Callable[[Server, ExitStack], None]


def senders(server: Server, stack: ExitStack) -> None:
    """Begin many large uploads, and go on with none of them."""
    told = {"Host": "localhost", "Content-Length": str(10_000_000)}
    connections = [connect(server.port, stack) for _ in range(SLOW)]
    for connection in connections:
        connection.sendall(head("POST", "/images", told) + bytes(100_000))


def readers(server: Server, stack: ExitStack) -> None:
    """Ask for many long answers, and read none of them but its beginning.

    Until all have come: what it takes to make them is everybody's share, slow or not.
    """
    request = long_answer(server)
    connections = [connect(server.port, stack, room=4096) for _ in range(SLOW)]
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        assert connection.recv(1)


def long_answer(server: Server) -> bytes:
    """Write a request for more than the system itself takes off the server's hands."""
    client = server.client()
    path = client.upload(packed(Image.effect_noise((2_500, 2_500), 100), "PNG")).text
    return head("GET", path, {"Host": "localhost", "Cookie": f"{COOKIE}={client.cookie}"})


CROWDS: dict[str, Crowd] = {"senders": senders, "readers": readers}


def crowd(folder: Path, who: Crowd, *, rounds: int) -> Crowded:
    """Measure predictions before a crowd is there, meanwhile, and once it has gone.

    After, too, since a machine that others use may become slower in between.

    Args:
        folder: Where the server keeps its things.
        who: Makes the crowd.
        rounds: Seconds of measuring, each time; the median second counts.
    """
    with running(folder) as server:
        p99(server.port, 5)
        before = p99(server.port, rounds)
        with ExitStack() as stack:
            who(server, stack)
            time.sleep(1.5)
            meanwhile = p99(server.port, rounds)
            began = time.monotonic()
            answers = [
                server.client().sign_in("orhan", "12345"),
                server.client().post_json("/predict", {}),
            ]
            others = time.monotonic() - began
        time.sleep(1.5)
        return Crowded(
            without=max(before, p99(server.port, rounds)),
            meanwhile=meanwhile,
            others=others,
            statuses=tuple(answer.status for answer in answers),
        )


def p99(port: int, rounds: int) -> float:
    """Measure predictions at a moderate rate, second by second; tell the median of the p99."""

    async def measure() -> float:
        pressure = Pressure(port)
        found = [await pressure.exert(RATE, 1) for _ in range(rounds)]
        assert {status for each in found for status in each.counts} == {200}
        await pressure.close()
        return sorted(each.quantile(200, 0.99) for each in found)[rounds // 2]

    return asyncio.run(measure())


def connect(port: int, stack: ExitStack, *, room: int | None = None) -> socket.socket:
    """Open a connection that reads no more than some bytes ahead."""
    connection = stack.enter_context(socket.socket())
    if room:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.connect(("127.0.0.1", port))
    return connection
