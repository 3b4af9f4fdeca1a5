"""The load: one run of wrk, and what it says."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import Request

SCRIPT = Path(__file__).with_name("load.lua")
PATIENCE = 10
"""Seconds until wrk gives an answer up: a slow server is slow, not broken."""

FAULTS = {
    "status": "not answered with a success",
    "connect": "not connected",
    "read": "not read to the end",
    "write": "not written",
    "timeout": "not answered in time",
}
"""How wrk's counts of what went wrong are called."""


class ToolMissing(Exception):
    """A program that measures is not on this machine."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one server did in one run."""

    rate: float  # answers a second
    p50: float  # milliseconds
    p99: float
    fault: str = ""  # what went wrong; such a round counts for nothing


def read_round(output: str) -> Round:
    """Read what wrk has printed, the line of our script being the last.

    Raises:
        ValueError: that line is not there.
    """
    last = output.strip().splitlines()[-1:]
    try:
        said: dict[str, int] = json.loads("".join(last))
        faults = [f"{said[name]} {words}" for name, words in FAULTS.items() if said[name]]
        if not said["requests"]:
            faults.append("nothing was answered")
        return Round(
            rate=said["requests"] * 1e6 / said["microseconds"],
            p50=said["p50"] / 1e3,
            p99=said["p99"] / 1e3,
            fault=", ".join(faults),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"wrk said nothing that can be read: {output[-500:]!r}") from error


def run_wrk(
    port: int,
    request: Request,
    *,
    core: int | None,
    connections: int,
    seconds: float,
    pause: int = 0,
) -> Round:
    """Ask a server on this machine as fast as it answers, over so many connections.

    Args:
        port: Where it listens.
        request: The question.
        core: Where the load is made; None: anywhere.
        connections: How many ask at once.
        seconds: How long.
        pause: Milliseconds that each connection rests before it asks again.
    """
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    options = {
        "threads": 1,
        "connections": connections,
        "duration": f"{seconds:g}s",
        "timeout": f"{PATIENCE}s",
        "script": SCRIPT,
    }
    finished = subprocess.run(
        [
            *pinned(core),
            "wrk",
            *(f"--{name}={value}" for name, value in options.items()),
            *(f"--header={header}" for header in headers),
            f"http://127.0.0.1:{port}",
            *("--", request.method, request.path),
            *([request.body] if request.body else []),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + 3 * PATIENCE,
        env=os.environ | ({"PAUSE": str(pause)} if pause else {}),
    )
    return read_round(finished.stdout or finished.stderr)


def pinned(core: int | None) -> list[str]:
    """Say what has to stand before a command to keep it on a core; None: on any."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def find_tools() -> None:
    """See that wrk and taskset are here; root gets wrk installed, where Debian's packages are.

    Raises:
        ToolMissing: they are not.
    """
    if not shutil.which("taskset"):
        raise ToolMissing("taskset (package util-linux, Linux only) keeps the two sides apart.")
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "wrk"]):
            subprocess.run(["apt-get", "-qq", *words], check=False, capture_output=True)
    if not shutil.which("wrk"):
        raise ToolMissing("wrk makes the load and is not here: sudo apt-get install wrk")
