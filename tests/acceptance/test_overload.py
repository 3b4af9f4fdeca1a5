"""Far too much, or far too slow: who is let in is served in good time, the rest told at once."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image
from tests.acceptance.client import head
from tests.acceptance.pressure import Outcomes, Pressure
from tests.acceptance.problem_shape import assert_explained, assert_problem
from tests.acceptance.server import ROOT, Server, running
from tests.acceptance.slow_server import CALL_SECONDS
from tests.pictures import packed

pytestmark = pytest.mark.alone

PREDICT = "/predict/5/january/100"
THREADS = 8
"""A quarter of them predicts."""

CAPACITY = {"waiting": THREADS / 4 / CALL_SECONDS, "computing": 1 / CALL_SECONDS}
"""Predictions per second; who computes in Python does so alone."""

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "3"))
SLOW = 500
NOISE = 0.005
"""Seconds by which a p99 differs on a machine that does other things as well."""


@contextmanager
def slow_server(folder: Path, model: str) -> Iterator[Server]:
    """Run a server whose model takes 20 ms a call."""
    command = (sys.executable, "-m", "tests.acceptance.slow_server", model)
    settings = {"STOPGAP_THREADS": str(THREADS), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with running(folder, settings, command=command) as server:
        yield server


async def flood(port: int, capacity: float) -> dict[str, Outcomes]:
    """Ask for ten times of what can be, and see how it is before, meanwhile and afterwards."""
    predictions, status, health = (Pressure(port, path) for path in (PREDICT, "/status", "/health"))
    await predictions.exert(capacity / 4, 1)
    before = await predictions.exert(capacity / 4, 2)
    meanwhile = await asyncio.gather(
        predictions.exert(capacity * 10, SECONDS),
        status.exert(20, SECONDS),
        health.exert(10, SECONDS),
    )
    await asyncio.sleep(1)
    after = await predictions.exert(capacity / 4, 2)
    for each in (predictions, status, health):
        await each.close()
    return dict(
        zip(
            ("before", "flood", "status", "health", "after"),
            (before, *meanwhile, after),
            strict=True,
        )
    )


@pytest.mark.parametrize(("model", "soon"), [("waiting", 0.05), ("computing", 0.15)])
def test_ten_times_the_load(tmp_path: Path, model: str, soon: float) -> None:
    """Of ten times the load, what can be served is, in good time; the rest is refused at once."""
    with slow_server(tmp_path, model) as server:
        seen = asyncio.run(flood(server.port, CAPACITY[model]))
    for calm in ("before", "after"):
        assert set(seen[calm].counts) == {200}
    assert seen["after"].quantile(200, 0.5) < 2 * seen["before"].quantile(200, 0.5)
    flooded = seen["flood"]
    assert set(flooded.counts) == {200, 503}
    assert flooded.counts[200] > 0.7 * CAPACITY[model] * SECONDS
    assert flooded.quantile(200, 0.99) < 1
    assert flooded.quantile(503, 0.9) < soon
    assert {each.retry_after for each in flooded.of(503)} == {1}
    for path in ("status", "health"):
        assert set(seen[path].counts) == {200}
        assert seen[path].quantile(200, 0.5) < soon


def test_the_refusal(tmp_path: Path) -> None:
    """Who is refused for overload is told so in the shape of every error."""
    with slow_server(tmp_path, "waiting") as server, ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: server.client().get(PREDICT), range(300)))
        refused = [answer for answer in answers if answer.status != 200]
        assert refused
        for answer in refused:
            assert assert_problem(answer, 503)["type"] == "/problems/overloaded"
        assert_explained(server.client(), assert_problem(refused[0], 503))


def test_too_many_predictions(tmp_path: Path) -> None:
    """Past the limit of predictions there is 429 with Retry-After, for predictions alone."""
    with running(tmp_path, {"STOPGAP_PREDICTION_LIMIT": "5/hour"}) as server:
        client = server.client()
        assert [client.get(PREDICT).status for _ in range(6)] == [200] * 5 + [429]
        refused = client.get("/%70redict/5/january/100")
        assert_explained(client, assert_problem(refused, 429))
        assert 1 <= int(refused.header("Retry-After") or 0) <= 3600
        assert client.post_json("/predict", {}).status == 429
        assert client.get("/console/predict/madcompany?month=may").status == 429
        assert client.get("/status").status == 200
        assert client.sign_in("orhan", "12345").status == 200
        client.get("/images")  # from now on it is known who this is
        assert client.get(PREDICT).status == 200


def connect(port: int, stack: ExitStack, *, room: int | None = None) -> socket.socket:
    """Open a connection that reads no more than some bytes ahead."""
    connection = stack.enter_context(socket.socket())
    if room:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.connect(("127.0.0.1", port))
    return connection


def senders(server: Server, stack: ExitStack) -> list[socket.socket]:
    """Begin many large uploads, and go on with none of them."""
    told = {"Host": "localhost", "Content-Length": str(10_000_000)}
    connections = [connect(server.port, stack) for _ in range(SLOW)]
    for connection in connections:
        connection.sendall(head("POST", "/images", told) + bytes(100_000))
    return connections


def readers(server: Server, stack: ExitStack) -> list[socket.socket]:
    """Ask for many long answers, and read none of them."""
    client = server.client()
    picture = packed(Image.effect_noise((2_500, 2_500), 100), "PNG")
    path = client.upload(picture).text  # more than the system itself takes off the server's hands
    told = {"Host": "localhost", "Cookie": f"stopgap_session={client.cookie}"}
    connections = [connect(server.port, stack, room=4096) for _ in range(SLOW)]
    for connection in connections:
        connection.sendall(head("GET", path, told))
    return connections


def p99(port: int) -> float:
    """Measure predictions at a moderate rate, several times; tell the median of the p99."""

    async def measure() -> float:
        pressure = Pressure(port, PREDICT)
        found = [await pressure.exert(200, 1) for _ in range(5)]
        assert {status for each in found for status in each.counts} == {200}
        await pressure.close()
        return sorted(each.quantile(200, 0.99) for each in found)[2]

    return asyncio.run(measure())


@pytest.mark.parametrize("crowd", [senders, readers])
def test_the_slow_hold_up_nobody(
    tmp_path: Path, crowd: Callable[[Server, ExitStack], list[socket.socket]]
) -> None:
    """Hundreds who send or read slowly change nothing for predictions and logins."""
    with running(tmp_path) as server, ExitStack() as stack:
        p99(server.port)
        before = p99(server.port)
        connections = crowd(server, stack)
        time.sleep(1.5)
        meanwhile = p99(server.port)
        began = time.monotonic()
        assert server.client().sign_in("orhan", "12345").status == 200
        assert server.client().post_json("/predict", {}).status == 400
        assert time.monotonic() - began < 1
        assert len(connections) == SLOW
    assert meanwhile < 1.5 * before + NOISE, (before, meanwhile)
