"""What a shadow that hangs costs predictions: their p99 with it and without.

Run `python -m bench.shadow`; it takes seven minutes and a machine where nothing else runs. Requests
come at a steady pace, some 400 a second. The shadow's process hangs over each copy that it gets, is
killed at its deadline, and is started again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.contestants import ROOT, Request
from bench.load import Round, find_tools, run_wrk
from bench.serving import free_ports

COMMAND = (sys.executable, "-c", "from stopgap.cli import main; main()")
MODEL = f"python:{ROOT / 'bench' / 'hanging.py'}:model"
CONNECTIONS, PAUSE = 8, 20
"""Connections, and the milliseconds that each rests between two requests."""

SETTLED_SECONDS = {"without": 2.0, "with": 20.0}
"""Until a shadow has died three times, and is left alone for half a minute."""

POINTS = ("p50", "p99")


def stopgap(environment: Mapping[str, str], *words: str) -> bytes:
    """Run a command about releases; return what it says."""
    command = [*COMMAND, "release", *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def check_it_hung(environment: Mapping[str, str]) -> None:
    """See that copies were late, without which nothing was measured.

    Raises:
        SystemExit: none was.
    """
    if not json.loads(stopgap(environment, "show", "1", "--json"))["last_hour"].get("late"):
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


def ask(port: int, seconds: float) -> Round:
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
    parser.add_argument("--seconds", type=float, default=10.0)
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
            for number in range(2 * chosen.rounds):
                there = number % 4 in {1, 2}  # without, with, with, without: no drift favours one
                name = "with" if there else "without"
                if there:
                    stopgap(environment, "promote", "1", "--shadow", "--yes")
                ask(port, SETTLED_SECONDS[name])  # the shadow gets copies, and hangs
                rounds[name].append(ask(port, chosen.seconds))
                if there:
                    check_it_hung(environment)
                    stopgap(environment, "withdraw", "1")
    for name, made in rounds.items():
        p50, p99 = (statistics.median(getattr(each, point) for each in made) for point in POINTS)
        every = " ".join(f"{each.p99:.2f}" for each in made)
        print(f"{name:8} a hung shadow: p50 {p50:.2f} ms  p99 {p99:.2f} ms  ({every})")


if __name__ == "__main__":
    main()
