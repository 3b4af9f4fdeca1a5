"""The access log: a line of JSON for each request, whole, cheap, and never in the way."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stopgap.telemetry.access import PATH_MAX, PIECE, AccessLog


class Written:
    """What was written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.log = AccessLog(lambda: 1_893_499_200_000_037, self.pieces.append)

    def lines(self) -> list[dict[str, Any]]:
        """Write what was noted, and read every line back."""
        self.log.flush()
        return [json.loads(line) for line in b"".join(self.pieces).splitlines()]


def test_a_line_tells_what_was_answered() -> None:
    """A line has what every line of the log has, and what became of the request."""
    written = Written()
    written.log.note("GET", b"/predict/5/may/1", 200, b"01890a5d", 37, "192.0.2.1")
    assert written.lines() == [
        {
            "time": "2030-01-01T12:00:00.000037+00:00",
            "level": "info",
            "logger": "stopgap.access",
            "event": "request",
            "request_id": "01890a5d",
            "method": "GET",
            "path": "/predict/5/may/1",
            "status": 200,
            "micros": 37,
            "address": "192.0.2.1",
        }
    ]


@given(st.lists(st.tuples(st.text(), st.binary(max_size=3 * PATH_MAX), st.text()), max_size=20))
def test_nothing_sent_forges_or_tears_a_line(sent: list[tuple[str, bytes, str]]) -> None:
    """Whatever a client sends, every request is one line, and no line is written in two pieces."""
    written = Written()
    for method, path, address in sent:
        written.log.note(method, path, 0, b"", 1, address[:45])
    lines = written.lines()
    assert [line["path"] for line in lines] == [
        path[:PATH_MAX].decode("latin-1") for _, path, _ in sent
    ]
    assert all(piece.endswith(b"\n") for piece in written.pieces)
    assert all(len(piece) <= PIECE or piece.count(b"\n") == 1 for piece in written.pieces)


def test_two_may_flush_at_once() -> None:
    """Whoever writes the last lines beside a chore that still does, each line is written once."""
    pieces: list[bytes] = []

    def write(piece: bytes) -> None:
        time.sleep(0.01)
        pieces.append(piece)

    log = AccessLog(lambda: 0, write)
    for _ in range(200):
        log.note("GET", b"/", 200, b"", 1, "")
    with ThreadPoolExecutor() as threads:
        for each in [threads.submit(log.flush) for _ in range(2)]:
            each.result()
    assert b"".join(pieces).count(b"\n") == 200


def test_a_long_method_is_cut() -> None:
    """Whatever a client sends for a method, its line goes into a pipe whole."""
    written: list[bytes] = []
    log = AccessLog(lambda: 0, written.append)
    log.note("X" * 60_000, b"/" * 60_000, 405, b"0" * 36, 1, "192.0.2.1")
    log.flush()
    (line,) = written
    assert len(line) <= PIECE
