"""Pressure: requests at a rate that does not ask how the server is doing (an open loop)."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.acceptance.client import head

ANSWER_SECONDS = 10.0
TARGET = "/predict/5/january/100"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one request."""

    status: int  # 0: its connection broke
    seconds: float  # from the moment it was due
    retry_after: int | None


@dataclass(kw_only=True)
class Outcomes:
    """What became of all."""

    every: list[Outcome] = field(default_factory=list)

    @property
    def counts(self) -> Counter[int]:
        """How many there were of each status."""
        return Counter(each.status for each in self.every)

    def of(self, status: int) -> list[Outcome]:
        """List those of a status."""
        return [each for each in self.every if each.status == status]

    def quantile(self, status: int, share: float) -> float:
        """Tell the seconds in which such a share of the answers of a status came."""
        took = sorted(each.seconds for each in self.of(status))
        return took[min(len(took) - 1, int(len(took) * share))]


class Pressure:
    """Sends one request, over and over.

    Args:
        port: Of the server, on this machine.
        target: What to ask for.
    """

    def __init__(self, port: int, target: str = TARGET) -> None:
        self._port = port
        self._request = head("GET", target, {"Host": "localhost"})
        self._free: list[Connection] = []

    async def exert(self, rate: float, seconds: float) -> Outcomes:
        """Send so many a second for so long, and await the answers to all."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        sent = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (pause := due - loop.time()) > 0:
                await asyncio.sleep(pause)
            sent.append(loop.create_task(self._ask(due)))
        return Outcomes(every=list(await asyncio.gather(*sent)))

    async def close(self) -> None:
        """Close all connections."""
        for _, writer in self._free:
            writer.close()
            await writer.wait_closed()

    async def _ask(self, due: float) -> Outcome:
        status, retry_after, connection = 0, None, None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = await self._connect()
                connection[1].write(self._request)
                status, retry_after, stays = await _read_answer(connection[0])
        except (OSError, EOFError, TimeoutError):
            stays = False
        seconds = asyncio.get_running_loop().time() - due
        if connection and stays:
            self._free.append(connection)
        elif connection:
            connection[1].close()
        return Outcome(status=status, seconds=seconds, retry_after=retry_after)

    async def _connect(self) -> Connection:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():  # the server closes those that rest for half a minute
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, int | None, bool]:
    """Read an answer; tell its status, its Retry-After, and whether the connection stays."""
    told = await reader.readuntil(b"\r\n\r\n")
    first, *lines = told[:-4].lower().split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines)
    await reader.readexactly(int(headers[b"content-length"]))
    after = headers.get(b"retry-after")
    stays = headers.get(b"connection") != b"close"
    return int(first.split()[1]), int(after) if after else None, stays
