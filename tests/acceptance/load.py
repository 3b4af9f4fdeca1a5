"""A load: several connections that ask for predictions, and note every answer that they were given.

Whatever was answered, whole and with 200, is *acknowledged*: it must be in the journal, once. A
request whose connection ended before its answer was whole is not; it may be there or not.
"""

import json
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import BinaryIO, NamedTuple, Self

from tests.acceptance.client import head, read_reply
from tests.acceptance.connections import Connections
from tests.acceptance.predictions import INPUTS, QUERY


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


class Load(Connections):
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
        super().__init__(port, connections, renew=100)
        self._pause = connections / rate if rate else 0.0
        self._due = [0.0] * connections  # when each asks next
        self._tolls = [Toll() for _ in range(connections)]
        self._requests = [cycle(requests(headers or {})) for _ in range(connections)]

    def __enter__(self) -> Self:
        began, number = time.monotonic(), len(self._due)
        self._due = [began + self._pause * asker / number for asker in range(number)]
        return super().__enter__()

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

    def _miss(self, asker: int, /) -> None:
        self._tolls[asker].unreachable += 1

    def _wait(self, asker: int, /) -> bool:
        due = self._due[asker]
        if self._pause:
            self._over.wait(max(0.0, due - time.monotonic()))
        # what was missed is made up for, for a second
        self._due[asker] = max(due + self._pause, time.monotonic() - 1)
        return not self._over.is_set()

    def _ask(self, asker: int, connection: socket.socket, answers: BinaryIO, /) -> bool:
        toll, began = self._tolls[asker], time.monotonic()
        try:
            connection.sendall(next(self._requests[asker]))
            status, answer, closing = _read(answers)
        except (OSError, ValueError):
            toll.broken += 1
            return False
        if status == 200:
            toll.acknowledged.append(answer)
            toll.slowest = max(toll.slowest, time.monotonic() - began)
        else:
            toll.refused[status] += 1
        return not closing


def _read(answers: BinaryIO) -> tuple[int, Acknowledged, bool]:
    """Read one answer whole; tell its status, what it says and whether it is the last."""
    status, told, body = read_reply(answers)
    closing = told.get(b"connection", b"").lower() == b"close"
    return status, Acknowledged(told.get(b"x-request-id", b"").decode(), body.decode()), closing
