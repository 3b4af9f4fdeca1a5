"""Callers: each asks again and again, for other inputs every time, and notes all it is told."""

import itertools
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tests.acceptance.client import head, read_reply
from tests.acceptance.connections import Connections

LOADED_SECONDS = 20.0
"""On a busy machine; when a release's model has to be started first."""

SENT = {"Host": "localhost"}
FORM = "application/x-www-form-urlencoded"

Sellers = Callable[[int], int]
"""From a request's number to its number of sellers."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a caller was told."""

    at: float  # when it was asked; as `time.monotonic` tells it
    seconds: float
    status: int  # 0: its connection ended before there was an answer
    request_id: str
    release: str
    body: bytes

    @property
    def is_valid(self) -> bool:
        """Whether it keeps MadCompany's contract."""
        return self.status == 200 and self.body.isdigit() and 2000 <= int(self.body) <= 5000


def request(number: int, sellers: int) -> bytes:
    """Write a request; every fifth takes another way than the shortest."""
    inputs = {"seller_available": sellers, "month": "may", "customer_visiting_website": number}
    match number % 10:
        case 3:
            body = json.dumps(inputs).encode()
            told = {"Content-Type": "application/json", "Content-Length": str(len(body))}
            return head("POST", "/predict", SENT | told) + body
        case 7:
            body = "&".join(f"{name}={value}" for name, value in inputs.items()).encode()
            told = {"Content-Type": FORM, "Content-Length": str(len(body))}
            return head("POST", "/predict", SENT | told) + body
        case _:
            return head("GET", f"/predict/{sellers}/may/{number}", SENT)


class Callers(Connections):
    """Requests at a rate, from the beginning of a block to its end.

    Args:
        port: Of the server, on this machine.
        number: How many ask at once.
        rate: Requests a second, of all together; None: as many as are answered.
        sellers: With how many sellers each request asks.
    """

    def __init__(
        self,
        port: int,
        *,
        number: int = 6,
        rate: float | None = 150,
        sellers: Sellers = lambda number: number % 12,
    ) -> None:
        super().__init__(port, number, renew=50)
        self._pause = number / rate if rate else 0.0
        self._sellers = sellers
        self._numbers = itertools.count(1)
        self.told: list[Told] = []

    def since(self, moment: float) -> list[Told]:
        """List what was told to who asked after a moment."""
        return [each for each in self.told[:] if each.at > moment]

    def listen(self, seconds: float) -> list[Told]:
        """Wait, and list what was told to who asked meanwhile."""
        began = time.monotonic()
        time.sleep(seconds)
        return self.since(began)

    def settle(self, releases: set[str]) -> None:
        """Wait until those who answer are these releases."""
        deadline = time.monotonic() + LOADED_SECONDS
        while (answering := {each.release for each in self.listen(0.5)}) != releases:
            assert time.monotonic() < deadline, answering

    @property
    def failures(self) -> Counter[str]:
        """Whatever was no valid answer: by status and body."""
        return Counter(
            f"{each.status} {each.body[:200]!r}" for each in self.told if not each.is_valid
        )

    def _miss(self, _asker: int, /) -> None:
        """Nobody was told anything."""

    def _wait(self, _asker: int, /) -> bool:
        return not self._over.wait(self._pause)

    def _ask(self, _asker: int, connection: socket.socket, answers: BinaryIO, /) -> bool:
        number = next(self._numbers)
        began = time.monotonic()
        try:
            connection.sendall(request(number, self._sellers(number)))
            status, told, body = read_reply(answers)
        except (OSError, ValueError):
            self.told.append(_note(began, 0, {}, b""))
            return False
        self.told.append(_note(began, status, told, body))
        return told.get(b"connection", b"").lower() != b"close"


def _note(began: float, status: int, told: dict[bytes, bytes], body: bytes) -> Told:
    return Told(
        at=began,
        seconds=time.monotonic() - began,
        status=status,
        request_id=told.get(b"x-request-id", b"").decode(),
        release=told.get(b"stopgap-release", b"").decode(),
        body=body,
    )
