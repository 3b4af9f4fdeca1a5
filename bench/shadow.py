"""What a shadow that hangs costs predictions: their p99 with it and without.

Run `python -m bench.shadow`; it takes five minutes and a machine where nothing else runs. Requests
come at a steady pace, some 400 a second. The shadow's process hangs over each copy that it gets, is
killed at its deadline, and is started again. Each round with it begins when it becomes the shadow.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from bench.contestants import ROOT, Request
from bench.load import Round, find_tools, run_wrk
from bench.measuring import taking_turns
from bench.serving import free_ports

COMMAND = (sys.executable, "-c", "from stopgap.cli import main; main()")
MODEL = f"python:{ROOT / 'bench' / 'hanging.py'}:model"
CONNECTIONS, PAUSE = 8, 20
"""Connections, and the milliseconds that each rests between two requests."""

SECONDS = 16
"""In which a shadow hangs three times; from then on it is left alone for half a minute."""

SETTLED_SECONDS = 2
"""Until one that was taken off is gone. Nothing settles with it: how it begins is what it costs."""

POINTS = ("p50", "p99")


def stopgap(environment: Mapping[str, str], *words: str) -> bytes:
    """Run a command about releases; return what it says."""
    command = [*COMMAND, "release", *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def late_copies(environment: Mapping[str, str]) -> int:
    """Tell how many copies were late within the hour."""
    told = json.loads(stopgap(environment, "show", "1", "--json"))
    return int(told["last_hour"].get("late", 0))


@contextmanager
def hanging(late: Callable[[], int]) -> Iterator[None]:
    """See that copies are late meanwhile, without which nothing is measured.

    Raises:
        SystemExit: none was.
    """
    before = late()
    yield
    if late() <= before:
        raise SystemExit("The shadow did not hang.")


@contextmanager
def serving(environment: Mapping[str, str], port: int) -> Iterator[None]:
    """Run the server."""
    with Path(environment["STOPGAP_DATA"], "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "ML_server.py")], env=environment, stdout=log, stderr=log
        )
    try:
        wait_until_up(port)
        yield
    finally:
        server.terminate()
        server.wait(20)


def wait_until_up(port: int) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/status")
            connection.getresponse()
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def ask(port: int, seconds: int) -> Round:
    """Ask for predictions for some seconds; all of them have to be answered."""
    made = run_wrk(
        port, Request(), core=None, connections=CONNECTIONS, seconds=seconds, pause=PAUSE
    )
    if made.fault:
        raise SystemExit(made.fault)
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Serve, take the shadow on and off in turns, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each round")
    chosen = parser.parse_args(words)
    find_tools()
    (port,) = free_ports(1)
    rounds: dict[str, list[Round]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory(prefix="stopgap-bench-") as folder:
        environment = os.environ | {
            "STOPGAP_DATA": folder,
            "PORT": str(port),
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        }
        environment.pop("HARMLESS", None)
        with serving(environment, port):
            add = ("add", MODEL, "--samples", "200")
            stopgap(environment | {"HARMLESS": "1"}, *add)
            for there in taking_turns(chosen.rounds):
                if there:
                    with hanging(partial(late_copies, environment)):
                        stopgap(environment, "promote", "1", "--shadow", "--yes")
                        rounds["with"].append(ask(port, chosen.seconds))
                    stopgap(environment, "withdraw", "1")
                else:
                    ask(port, SETTLED_SECONDS)
                    rounds["without"].append(ask(port, chosen.seconds))
    for name, made in rounds.items():
        p50, p99 = (statistics.median(getattr(each, point) for each in made) for point in POINTS)
        every = " ".join(f"{each.p99:.2f}" for each in made)
        print(f"{name:8} a shadow that hangs: p50 {p50:.2f} ms  p99 {p99:.2f} ms  ({every})")


if __name__ == "__main__":
    main()
