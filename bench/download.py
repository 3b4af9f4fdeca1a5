"""What a download costs predictions: their p99 with one being made and without, and its memory.

Run `python -m bench.download`; it takes three minutes, two cores, and a machine where nothing else
runs. The journal is filled first; then wrk asks for predictions while curl downloads all of it as
CSV, and while it does not, in turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from bench.console import ACCOUNTS, PASSWORD, fill
from bench.contestants import ROOT, Request
from bench.journal import say
from bench.load import Round, find_tools, run_wrk
from bench.measuring import taking_turns
from bench.serving import free_ports
from stopgap import wiring
from stopgap.settings import Settings

CONNECTIONS = 8
ROUNDS = 5
SECONDS = 6.0
ASKED = Request()
CSV = "/console/history/answers.csv?period=all"


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    """Run the server on one core."""
    environment = os.environ | {"STOPGAP_DATA": str(folder), "PORT": str(port)}
    command = ["taskset", "--cpu-list", "0", sys.executable, str(ROOT / "ML_server.py")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        cookie_of_operator(port)
        yield
    finally:
        server.terminate()
        server.wait(20)


def cookie_of_operator(port: int) -> str:
    """Sign in as who may download everything, once the server is there."""
    body = urlencode({"username": "operator", "password": PASSWORD})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/login", body, headers)
            answer = connection.getresponse()
            return (answer.headers["Set-Cookie"] or "").partition(";")[0]
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def downloading(port: int, cookie: str) -> Iterator[subprocess.Popen[bytes]]:
    """Download everything, and throw it away."""
    words = ["curl", "--silent", "--fail", "--output", "/dev/null", "--header", f"Cookie: {cookie}"]
    with subprocess.Popen([*words, f"http://127.0.0.1:{port}{CSV}"]) as download:
        try:
            yield download
        finally:
            download.kill()


def exporter_memory() -> float:
    """Tell the resident megabytes of the process that makes the download."""
    held = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"stopgap.journal.exporter" in (folder / "cmdline").read_bytes():
                held += int((folder / "statm").read_text().split()[1]) * PAGE / 1e6
    return held


PAGE = os.sysconf("SC_PAGE_SIZE")


def measure_memory(port: int, cookie: str) -> None:
    """Download everything by itself; tell how long it took and what it held.

    Raises:
        SystemExit: not everything came.
    """
    held = []
    began = time.monotonic()
    with downloading(port, cookie) as download:
        while download.poll() is None:
            time.sleep(0.5)
            held.append(exporter_memory())
    if download.returncode:
        raise SystemExit(f"The download failed: curl's exit code is {download.returncode}.")
    took = time.monotonic() - began
    quarter = held[len(held) // 4 :]
    say(
        f"download alone: {took:.1f} s; the exporter held {quarter[0]:.0f} MB after a quarter of "
        f"it, {max(quarter):.0f} MB at most"
    )


def measure_predictions(port: int, cookie: str) -> None:
    """Ask for predictions with and without a download, in turn."""
    rounds: dict[str, list[Round]] = {"without": [], "with": []}
    for there in taking_turns(ROUNDS):
        if not there:
            rounds["without"].append(ask(port))
            continue
        with downloading(port, cookie) as download:
            time.sleep(1.5)  # until its process has started
            rounds["with"].append(ask(port))
            if download.poll() is not None:
                raise SystemExit("The download ended before the predictions: too few records?")
    for words, made in rounds.items():
        rates = statistics.median(each.rate for each in made)
        p50, p99 = (statistics.median(getattr(each, name) for each in made) for name in POINTS)
        say(f"{words:8} a download: {rates:8,.0f} requests/s  p50 {p50:.2f} ms  p99 {p99:.2f} ms")


POINTS = ("p50", "p99")


def ask(port: int) -> Round:
    """Ask for predictions for some seconds; all of them have to be answered."""
    made = run_wrk(port, ASKED, core=1, connections=CONNECTIONS, seconds=SECONDS)
    if made.fault:
        raise SystemExit(made.fault)
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Fill a journal, serve it, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    chosen = parser.parse_args(words)
    find_tools()
    with tempfile.TemporaryDirectory(prefix="stopgap-bench-") as name:
        folder = Path(name)
        with closing(wiring.build_parts(wiring.prepare(Settings(data=folder)))) as parts:
            for account, role in ACCOUNTS.values():
                parts.accounts.add(account, PASSWORD, role)
            fill(parts, chosen.records)
        (port,) = free_ports(1)
        with serving(folder, port):
            cookie = cookie_of_operator(port)
            measure_predictions(port, cookie)
            measure_memory(port, cookie)


if __name__ == "__main__":
    main()
