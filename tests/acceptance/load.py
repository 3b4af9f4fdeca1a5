"""A load: several connections that ask for predictions, and note every answer that they were given.

Whatever was answered, whole and with 200, is *acknowledged*: it must be in the journal, once. A
request whose connection ended before its answer was whole is not; it may be there or not.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from tests.acceptance.client import head, read_reply
from tests.acceptance.predictions import INPUTS, QUERY

ANSWER_SECONDS = 30
"""After which a request counts as broken, though its connection may stand."""

RENEW = 100
"""Requests after which a connection is replaced, so that a new worker gets its share."""

RETRY_SECONDS = 0.02


def requests(headers: Mapping[str, str]) -> Sequence[bytes]:
    """Write one prediction request for every way through the server, Flask's included."""
    sent = {"Host": "localhost"} | dict(headers)
    body = json.dumps(INPUTS).encode()
    form = QUERY.encode()
    return [
        head("GET", "/predict/5/january/100", sent),
        head("GET", f"/predict?{QUERY}", sent),
        _with_body("application/json", sent, body),
        head("GET", "/predict/7/mai/12", sent),
        _with_body("application/x-www-form-urlencoded", sent, form),
    ]


def _with_body(media_type: str, headers: Mapping[str, str], body: bytes) -> bytes:
    told = {"Content-Type": media_type, "Content-Length": str(len(body))}
    return head("POST", "/predict", {**headers, **told}) + body


class Acknowledged(NamedTuple):
    """One answer that a client has."""

    id: str  # its X-Request-Id
    output: str  # its body


@dataclass(kw_only=True)
class Toll:
    """What became of the requests."""

    acknowledged: list[Acknowledged] = field(default_factory=list, repr=False)
    refused: Counter[int] = field(default_factory=Counter)  # status -> answers that were none
    broken: int = 0  # connections that ended in the middle of a request
    unreachable: int = 0  # attempts to connect in vain
    slowest: float = 0.0  # seconds until an acknowledged answer

    @property
    def failed(self) -> int:
        """How many requests got no prediction."""
        return self.refused.total() + self.broken + self.unreachable

    def add(self, other: "Toll") -> None:
        """Count another's as well."""
        self.acknowledged += other.acknowledged
        self.refused += other.refused
        self.broken += other.broken
        self.unreachable += other.unreachable
        self.slowest = max(self.slowest, other.slowest)


class Load:
    """Requests without a pause, or at a rate, from the beginning of a block to its end.

    Args:
        port: Of the server, on this machine.
        connections: How many ask at once.
        rate: Requests per second, of all together; None: each asks as soon as it is answered.
        headers: Sent with every request.
    """

    def __init__(
        self,
        port: int,
        *,
        connections: int = 6,
        rate: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._port = port
        self._requests = requests(headers or {})
        self._pause = connections / rate if rate else 0.0
        self._over = threading.Event()
        self._tolls = [Toll() for _ in range(connections)]
        self._threads = [
            threading.Thread(target=self._ask, args=(number, toll))
            for number, toll in enumerate(self._tolls)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Await the answers that are under way, and ask for no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def toll(self) -> Toll:
        """What has become of the requests so far; exact once the load has stopped."""
        total = Toll()
        for toll in self._tolls:
            total.add(toll)
        return total

    @property
    def answers(self) -> int:
        """How many requests have been acknowledged so far."""
        return sum(len(toll.acknowledged) for toll in self._tolls)

    def _ask(self, number: int, toll: Toll) -> None:
        due = time.monotonic() + self._pause * number / len(self._threads)
        while not self._over.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS)
            except OSError:
                toll.unreachable += 1
                self._over.wait(RETRY_SECONDS)
                continue
            with connection, connection.makefile("rb") as answers:
                try:
                    due = self._converse(connection, answers, toll, due)
                except (OSError, ValueError):
                    toll.broken += 1

    def _converse(
        self, connection: socket.socket, answers: BinaryIO, toll: Toll, due: float
    ) -> float:
        """Ask over one connection until it has served its time; tell when the next is due."""
        for turn in range(RENEW):
            if self._pause and self._over.wait(max(0.0, due - time.monotonic())):
                break
            if self._over.is_set():
                break
            began = time.monotonic()
            due = max(due + self._pause, began - 1)  # what was missed is made up for, for a second
            connection.sendall(self._requests[turn % len(self._requests)])
            status, answer, closing = _read(answers)
            if status == 200:
                toll.acknowledged.append(answer)
                toll.slowest = max(toll.slowest, time.monotonic() - began)
            else:
                toll.refused[status] += 1
            if closing:
                break
        return due


def _read(answers: BinaryIO) -> tuple[int, Acknowledged, bool]:
    """Read one answer whole; tell its status, what it says and whether it is the last."""
    status, told, body = read_reply(answers)
    closing = told.get(b"connection", b"").lower() == b"close"
    return status, Acknowledged(told.get(b"x-request-id", b"").decode(), body.decode()), closing
