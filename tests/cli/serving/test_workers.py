"""What no whole server shows reliably of how its workers come and go."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from granian.server.mp import MPServer

from stopgap.cli.serving.workers import Server

BIRTHS = 300

BEARING = f"""
import os, signal, sys
from stopgap.cli.serving.workers import Birth

birth = Birth()
os.register_at_fork(before=birth.begins, after_in_parent=birth.ends, after_in_child=birth.is_over)
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
for _ in range({BIRTHS}):
    child = os.fork()
    if not child:
        signal.alarm(5)
        while True:
            signal.pause()
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
os.kill(os.getpid(), signal.SIGTERM)
assert heard == [1], heard
"""

STARTING = """
import asyncio
from granian.constants import Interfaces, Loops
from stopgap.cli.serving.workers import Server, mind

async def app(scope, receive, send):
    await receive()
    print("starting", flush=True)
    await asyncio.sleep(0.5)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

server = Server("app", port=0, interface=Interfaces.ASGI, loop=Loops.asyncio, log_enabled=False)
mind(server)
server.serve(target_loader=lambda ready, helped: app, wrap_loader=False)
"""


def test_a_worker_that_is_told_to_stop_twice_while_it_starts() -> None:
    """It comes to its end, as from one signal; a terminal sends both, and people press twice."""
    command = [sys.executable, "-c", STARTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"starting\n"
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
                os.killpg(server.pid, number)
                time.sleep(0.1)  # else the system makes one of two
            assert server.wait(10) == 0
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)


def test_a_worker_that_is_told_to_stop_while_it_is_forked() -> None:
    """A signal of any moment ends the child; the supervisor goes on hearing its own."""
    told = subprocess.run(
        [sys.executable, "-c", BEARING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert set(told.stdout.split()) == {"-15"}


def test_one_thread_waits_for_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever else asks hears from it: of two the system would tell one alone of the end."""
    ends, waited = threading.Event(), list[str]()

    def wait() -> None:
        waited.append(threading.current_thread().name)
        ends.wait()

    process = SimpleNamespace(join=wait, exitcode=0, pid=1)
    made = SimpleNamespace(inner=process, interrupt_by_parent=True, start=lambda: None)
    monkeypatch.setattr(MPServer, "_spawn_worker", lambda *_, **__: made)
    worker = Server("app")._spawn_worker(callback_loader=print)
    watcher = threading.Thread(target=worker._watcher, name="watcher", daemon=True)
    watcher.start()
    worker.join(0.01)
    assert worker.is_alive()
    ends.set()
    worker.join(10)
    assert not worker.is_alive()
    watcher.join()
    assert waited == ["watcher"]


def test_a_thread_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker for whose end nobody could wait is ended, and tried again."""
    done = list[str]()
    process = SimpleNamespace(
        pid=1, kill=lambda: done.append("killed"), join=lambda: done.append("joined")
    )

    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    made = SimpleNamespace(inner=process, idx=3, start=refuse)
    monkeypatch.setattr(MPServer, "_spawn_worker", lambda *_, **__: made)
    server = Server("app")
    worker = server._spawn_worker(callback_loader=print)
    worker.start()
    worker.terminate()
    assert done == ["killed", "joined"]
    assert not worker.is_alive()
    assert server.interrupt_children == [3]
    assert server.main_loop_interrupt.is_set()


@pytest.mark.parametrize(
    ("others", "replaces", "helped"),
    [
        ([], False, False),
        ([], True, True),
        (["serves"], False, True),
        (["starts"], False, False),
        (["ended", "starts"], False, False),
    ],
)
def test_who_answers_while_a_worker_starts(
    monkeypatch: pytest.MonkeyPatch, others: list[str], *, replaces: bool, helped: bool
) -> None:
    """A new worker knows whether others do: the one that it is to replace, or those beside it."""
    told: list[bool] = []

    def spawn(_server: object, **named: Any) -> SimpleNamespace:
        process = SimpleNamespace(pid=1)
        return SimpleNamespace(inner=process, start=named["callback_loader"])

    def load(*, ready: Callable[[], None], helped: bool) -> None:
        told.append(helped)
        ready()

    monkeypatch.setattr(MPServer, "_spawn_worker", spawn)
    server = Server("app")
    for how in others:
        other = server._spawn_worker(callback_loader=load)
        if how != "starts":
            other.life.say_ready()
        if how == "ended":
            other.life.ended.set()
        server.wrks.append(other)
    server._replaces = replaces
    server._spawn_worker(callback_loader=load).start()
    assert told == [helped]


WAITING = """
import signal
from types import SimpleNamespace
from stopgap.cli.serving.workers import Waking

server = SimpleNamespace(interrupt_signal=False, interrupt_children=[])
waking = Waking(server)

def end(*_):
    server.interrupt_signal = True
    waking.set()

signal.signal(signal.SIGINT, lambda *_: waking.set())
signal.signal(signal.SIGUSR1, lambda *_: waking.set())
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while not server.interrupt_signal:
    waking.wait()
    waking.clear()
assert waking.wait(0)
"""


def test_signals_wake_the_server_at_any_moment() -> None:
    """Signals that come as the server begins to wait, or while another is handled, all wake it."""
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        waiting.stdout.readline()
        for _ in range(5_000):
            waiting.send_signal(signal.SIGINT)
            waiting.send_signal(signal.SIGUSR1)
        waiting.send_signal(signal.SIGTERM)
        try:
            assert waiting.wait(10) == 0
        finally:
            waiting.kill()
