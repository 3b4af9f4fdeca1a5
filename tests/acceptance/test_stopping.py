"""Stopping under load: clients that go when they are told to notice nothing."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from tests.acceptance.client import Answer, head, read_answer
from tests.acceptance.desk import HOSTILE, NAME, add, desk
from tests.acceptance.killing import ORPHAN_SECONDS
from tests.acceptance.load import Load
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.processes import is_running, kill, wait_for, workers
from tests.acceptance.server import ML_SERVER, START_SECONDS, STOPGAP, Server, environment, running
from tests.acceptance.stopping import LOAD_SECONDS, STOP_SECONDS, stop_under_load
from tests.models.hostile import BAD
from tests.pictures import png

from stopgap.cli.serving.supervising import STOP_SECONDS as KILL_SECONDS

pytestmark = pytest.mark.alone

DEADLINE_SECONDS = 20.0

TURNS = 2
"""Four times: with one worker or two, told alone or all together."""


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("alone", [True, False])
def test_under_load(tmp_path: Path, processes: int, *, alone: bool) -> None:
    """No connection breaks, nothing is refused, and nothing waits, however often it is stopped."""
    assert stop_under_load(tmp_path, TURNS, processes=processes, alone=alone).faults == []


def test_a_worker_alone(tmp_path: Path) -> None:
    """A worker that is told to end is replaced, and nobody notices."""
    server = Server(tmp_path, ML_SERVER, {"STOPGAP_WORKERS": "2"})
    try:
        server.wait_until_up()
        with Load(server.port, connections=8) as load:
            time.sleep(LOAD_SECONDS)
            first, second = workers(server.process.pid)
            os.kill(first, signal.SIGTERM)
            wait_for(lambda: first not in workers(server.process.pid), 3, "the worker ends")
            wait_for(lambda: len(workers(server.process.pid)) == 2, 5, "it is replaced")
            time.sleep(LOAD_SECONDS)
            assert second in workers(server.process.pid)
    finally:
        server.stop()
    assert (load.toll.broken, load.toll.refused, load.toll.unreachable) == (0, {}, 0)


PATHS = ("/predict/5/january/100", "/status", "/predict/5/never/100", "/", "/nowhere", "/health")


def ask(connection: socket.socket, path: str) -> Answer:
    """Ask for something over a connection that may stay."""
    connection.sendall(head("GET", path, {"Host": "localhost"}))
    return read_answer(connection)


def test_the_last_answer_says_so(tmp_path: Path) -> None:
    """Once the server is told to stop, every answer ends its connection, and says that it does."""
    with running(tmp_path, stopped=False) as server:
        with ExitStack() as stack:
            connections = [
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 5))
                for _ in PATHS
            ]
            for path, connection in zip(PATHS, connections, strict=True):
                assert ask(connection, path).header("Connection") is None
            os.kill(server.process.pid, signal.SIGTERM)
            time.sleep(0.2)
            for path, connection in zip(PATHS, connections, strict=True):
                assert ask(connection, path).header("Connection") == "close"
                assert connection.recv(1) == b""
        server.process.wait(STOP_SECONDS)


def test_who_is_idle_is_not_waited_for(tmp_path: Path) -> None:
    """A server to which nobody is connected ends at once."""
    with running(tmp_path, stopped=False) as server:
        time.sleep(0.2)
        (worker,) = workers(server.process.pid)
        os.kill(server.process.pid, signal.SIGTERM)
        ended = wait_for(lambda: not workers(server.process.pid), STOP_SECONDS, f"{worker} ends")
        server.process.wait(STOP_SECONDS)
    assert ended < 0.5


HELPED = """
import pathlib, subprocess, time
helper = subprocess.Popen(["sleep", "600"])
place = pathlib.Path(__file__).parent
(place / "helper").write_text(str(helper.pid))
while (place / "slow").exists():
    time.sleep(0.1)
def answer(row):
    return 3000
"""
"""A model that starts a program of its own, and is loaded once a file is not there."""


def helper(folder: Path) -> int | None:
    """Tell which program the model in a folder has started; None: none yet that runs."""
    with suppress(OSError, ValueError):
        process = int((folder / "helper").read_text())
        return process if is_running(process) else None
    return None


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[Server]:
    """Start a server whose live release takes its time to load, and has started a program."""
    model = tmp_path / "model.py"
    model.write_text(HELPED)
    with running(tmp_path / "server") as before, desk(before.data) as releases:
        releases.promote(NAME, add(releases, "answer", file=model), "ann")
    (tmp_path / "slow").touch()
    server = Server(tmp_path / "server", ML_SERVER, {})
    try:
        wait_for(lambda: helper(tmp_path), START_SECONDS, "the model is being loaded")
        yield server
    finally:
        kill(server.process.pid, *filter(None, [helper(tmp_path)]))


def test_what_a_model_started_ends_with_a_start(loading: Server, tmp_path: Path) -> None:
    """A server that is told to end before it serves leaves nothing of its models behind."""
    assert loading.stop(alone=True) < STOP_SECONDS
    wait_for(lambda: not helper(tmp_path), 1, "what it has started ends")


def test_a_start_ends_with_its_supervisor(loading: Server, tmp_path: Path) -> None:
    """A worker that loads a model for minutes is gone soon after its supervisor, with the model."""
    started = workers(loading.process.pid)
    try:
        kill(loading.process.pid)
        loading.process.wait()
        wait_for(lambda: not any(map(is_running, started)), ORPHAN_SECONDS, "the worker ends")
        wait_for(lambda: not helper(tmp_path), 1, "what the model has started ends")
    finally:
        kill(*started)


@pytest.fixture
def terminal_can_close() -> Iterator[None]:
    """Have processes end by SIGHUP, also where the tests themselves are run by `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal_can_close")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_a_model_started_ends_with_a_command(tmp_path: Path, number: signal.Signals) -> None:
    """A verification that is told to end leaves nothing of its model behind either."""
    model, slow = tmp_path / "model.py", tmp_path / "slow"
    model.write_text(HELPED)
    slow.touch()
    words = (*STOPGAP, "release", "verify", f"python:{model}:answer")
    with subprocess.Popen(words, env=environment(STOPGAP_DATA=str(tmp_path / "data"))) as verify:
        try:
            wait_for(lambda: helper(tmp_path), START_SECONDS, "the model is being loaded")
            verify.send_signal(number)
            assert verify.wait(STOP_SECONDS) == -number
            wait_for(lambda: not helper(tmp_path), 1, "what it has started ends")
        finally:
            kill(verify.pid, *filter(None, [helper(tmp_path)]))


def test_what_a_model_started_ends_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    """Whatever ends a worker, nothing of its models is left behind, nor unburied."""
    model = tmp_path / "model.py"
    model.write_text(HELPED)
    with running(tmp_path / "server", troubled=True) as server, desk(server.data) as releases:
        releases.promote(NAME, add(releases, "answer", file=model), "ann")
        wait_for(lambda: helper(tmp_path), START_SECONDS, "the model is being loaded")
        first, (worker,) = helper(tmp_path), workers(server.process.pid)
        kill(worker)
        wait_for(lambda: not Path(f"/proc/{first}").exists(), 3, "what it has started is buried")
        wait_for(lambda: helper(tmp_path) not in {None, first}, START_SECONDS, "another follows")
        second = helper(tmp_path)
    assert second
    assert not is_running(second)


def test_what_was_read_is_answered(tmp_path: Path) -> None:
    """Uploads that are being worked on are finished; who is still sending is told that it ends."""
    picture = png(size=(1500, 1500))
    with running(tmp_path, stopped=False) as server, ThreadPoolExecutor() as pool:
        with closing(socket.create_connection(("127.0.0.1", server.port), 10)) as slow:
            slow.sendall(head("POST", "/images", {"Host": "x", "Content-Length": "1000"}) + b"x")
            uploads = [pool.submit(server.client().upload, picture) for _ in range(3)]
            time.sleep(0.1)
            assert server.stop() < STOP_SECONDS
            assert_problem(read_answer(slow), 503)
        assert [upload.result().status for upload in uploads] == [201, 201, 201]


@pytest.mark.parametrize("in_process", [False, True])
def test_who_waits_for_a_model(tmp_path: Path, *, in_process: bool) -> None:
    """Who waits for one longer than a stop may take is refused; nothing that was noted is lost."""
    settings = {"STOPGAP_ACCESS_LOG": "true"}
    with running(tmp_path, settings, stopped=False) as server, ThreadPoolExecutor() as pool:
        client = server.client()
        with desk(server.data) as releases:
            told = {"deadline": DEADLINE_SECONDS, "in_process": in_process}
            releases.promote(NAME, add(releases, "hangs", file=HOSTILE, **told), "ann")
        wait_for(lambda: release_of(client.get("/predict/5/may/1")) == "1", 20, "it answers")
        asked = pool.submit(client.get, f"/predict/{BAD}/may/1")
        form = pool.submit(client.get, f"/predict/{BAD}/mai/1")  # by Flask's view
        time.sleep(0.5)
        assert server.stop() < KILL_SECONDS
        assert_problem(asked.result(), 503)
        assert_problem(form.result(), 503)
    lines = [json.loads(line) for line in server.said.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line.get("status") == 503]
    assert len(refused) == 2, server.said


def release_of(answer: Answer) -> str | None:
    """Tell which release has answered."""
    return answer.header("Stopgap-Release")
