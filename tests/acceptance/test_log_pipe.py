"""A log that nobody reads: the server answers, heals and ends as if somebody did."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.acceptance.processes import wait_for, workers
from tests.acceptance.server import STOP_SECONDS, running

WHOLE_SECONDS = 10.0

LAST_LINES_SECONDS = 1.0
"""A worker, and after it the supervisor, wait for half a second each to write their last lines."""


@pytest.fixture
def full_pipe(tmp_path: Path) -> Iterator[Path]:
    """Put a pipe where the server's standard output goes, full already, and read none of it."""
    pipe = tmp_path / "output"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4_096)
    yield pipe
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_nobody_reads(full_pipe: Path) -> None:
    """Requests are answered, dead workers replaced, and a signal ends it."""
    settings = {"STOPGAP_WORKERS": "2", "STOPGAP_ACCESS_LOG": "true"}
    with running(full_pipe.parent, settings, stopped=False, troubled=True) as server:
        first = workers(server.process.pid)
        for worker in first:
            os.kill(worker, signal.SIGKILL)
        wait_for(
            lambda: len({*workers(server.process.pid)} - {*first}) == len(first),
            WHOLE_SECONDS,
            "the workers are replaced",
        )
        server.wait_until_up()
        for _ in range(200):
            assert server.client().get("/predict/5/january/100").status == 200
        assert server.stop() < STOP_SECONDS + LAST_LINES_SECONDS
