"""One server's life: its environment is made, it is started, held to the prediction, stopped."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from bench.contestants import ROOT, Contestant, Request
from bench.load import pinned

FOLDER = ROOT / ".bench"
"""Environments, logs, and what the servers write while they run."""

START_SECONDS, STOP_SECONDS, PREPARE_SECONDS = 60.0, 10.0, 120.0
PROMISE = range(2000, 5001)
MADE_BY_SERVER = frozenset({"server", "date"})
"""Headers that granian itself adds to every answer."""


class NotMeasured(Exception):
    """This server gives no figures; the message says why, in the table."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server has sent."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @property
    def predicts(self) -> bool:
        """Whether it is a prediction that keeps the promise, however it is wrapped."""
        return self.status == HTTPStatus.OK and any(number in PROMISE for number in self._numbers)

    def says(self, expected: int) -> bool:
        """Whether it is this prediction, however it is wrapped."""
        return self.status == HTTPStatus.OK and expected in self._numbers

    @property
    def _numbers(self) -> list[int]:
        return [int(number) for number in re.findall(r"(?<![\w.-])\d{4}(?![\w.-])", self.body)]

    @property
    def names(self) -> list[str]:
        """Its headers' names, in order of the alphabet."""
        return sorted(name for name, _ in self.headers)


def python_of(environment: str | None) -> str:
    """Find a server's Python; its environment is made where it is missing, or not as pinned.

    Raises:
        NotMeasured: it cannot be installed here.
    """
    if environment is None:
        return sys.executable
    folder, pins = FOLDER / environment, ROOT / f"bench/requirements-{environment}.txt"
    wanted = f"# Python {sys.version}\n{pins.read_text()}"  # the same Python for all
    stamp, python = folder / "made-of", str(folder / "bin/python")
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Installing {environment} ...", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    _install([sys.executable, "-m", "venv", str(folder)])
    quiet = ["-qq", "--disable-pip-version-check", "--no-input"]
    _install([python, "-m", "pip", *quiet, "install", "--requirement", str(pins)])
    stamp.write_text(wanted)
    return python


def _install(command: list[str]) -> None:
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        said = [line for line in finished.stderr.splitlines() if line.startswith("ERROR:")]
        last = said[-1].removeprefix("ERROR: ") if said else "pip fails"
        raise NotMeasured(f"cannot be installed here: {last[:200]}")


@contextmanager
def serving(
    contestant: Contestant,
    core: int | None,
    pattern: Answer | None = None,
    *,
    known: Mapping[str, str] | None = None,
    folder: Path = FOLDER,
) -> Iterator[int]:
    """Run a server on one core, in a folder that is gone afterwards; give its port.

    Args:
        contestant: The server.
        core: Where all its processes stay; None: anywhere.
        pattern: Stopgap's own answer, for who has to send the same.
        known: What else the contestant's words stand for.
        folder: Where its log and its own folder are made.

    Raises:
        NotMeasured: it cannot be installed, does not start, or does not stop.
    """
    python = python_of(contestant.environment)
    known = known_at_start(pattern) | dict(known or {})
    command = [*pinned(core), python, *(_filled(word, known) for word in contestant.command)]
    variables = {name: _filled(value, known) for name, value in contestant.variables.items()}
    log, port = folder / "logs" / f"{contestant.name}.log", int(known["port"])
    log.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as own, log.open("wb") as output:
        environment = _environment(python) | variables
        for words in contestant.before:
            _prepare([python, *(_filled(word, known) for word in words)], own, environment)
        process = subprocess.Popen(
            command,
            cwd=own,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_up(process, contestant, port, log)
            yield port
        finally:
            _stop(process)
    _wait_until_gone(port)


def _prepare(command: list[str], own: str, environment: Mapping[str, str]) -> None:
    """Run what has to be done in a server's folder before it starts."""
    finished = subprocess.run(
        command,
        check=False,
        cwd=own,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PREPARE_SECONDS,
    )
    if finished.returncode:
        said = (finished.stderr or finished.stdout).strip().splitlines()
        raise NotMeasured(f"cannot be prepared: {' '.join(said[-1:])[:200]}")


def known_at_start(pattern: Answer | None) -> dict[str, str]:
    """Choose the ports, and write Stopgap's answer down for whoever has to send the same."""
    known = dict(zip(("port", "second_port", "third_port"), map(str, free_ports(3)), strict=True))
    if pattern:
        kept = [pair for pair in pattern.headers if pair[0] not in MADE_BY_SERVER]
        known |= {"headers": json.dumps(kept), "answer": pattern.body}
    return known


def _filled(template: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _environment(python: str) -> dict[str, str]:
    """Keep nothing of this environment that could set a server up otherwise."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    path = f"{Path(python).parent}:{os.environ['PATH']}"  # some start programs of their own by name
    return kept | {"PATH": path, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "DO_NOT_TRACK": "1"}


def free_ports(number: int) -> list[int]:
    """Find ports on the loopback interface where nobody listens."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait_until_up(
    process: subprocess.Popen[bytes], contestant: Contestant, port: int, log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (answer := ask(port, valid(contestant.request))).predicts:
        if process.poll() is not None or time.monotonic() > deadline:
            said = [*log.read_text(errors="replace").splitlines(), answer.body]
            last = next((line for line in reversed(said) if line.strip()), "it says nothing")
            raise NotMeasured(f"does not start here: {last.strip()[:200]}")
        time.sleep(0.05)


def _wait_until_gone(port: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _listens(port):
        if time.monotonic() > deadline:
            raise NotMeasured("does not stop: its port still answers")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; what then is left of it is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def valid(request: Request) -> Request:
    """Ask as the contract allows."""
    return request.filled(seller_available=5, month="january", customer_visiting_website=100)


def invalid(request: Request) -> Request:
    """Ask with a month that is none."""
    return request.filled(seller_available=5, month="smarch", customer_visiting_website=100)


def ask(port: int, request: Request) -> Answer:
    """Send one request; status 0 is no answer at all."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request(
            request.method, request.path, request.body or None, dict(request.headers)
        )
        response = connection.getresponse()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        body = response.read().decode("utf-8", "replace")
        return Answer(status=response.status, headers=headers, body=body)
    except (OSError, HTTPException):
        return Answer(status=0)
    finally:
        connection.close()


def signed_in(port: int, request: Request) -> Request:
    """Sign in with the demo's account; give the request with the session's cookie.

    Raises:
        NotMeasured: that is refused.
    """
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    words = urlencode({"username": "orhan", "password": "12345"})
    login = ask(port, Request(method="POST", path="/login", body=words, headers=form))
    cookies = [value.partition(";")[0] for name, value in login.headers if name == "set-cookie"]
    if not cookies:
        raise NotMeasured(f"cannot be signed in to: {login.status} {login.body[:100]}")
    return replace(request, headers={**request.headers, "Cookie": cookies[0]})


def hold(
    port: int,
    contestant: Contestant,
    request: Request,
    pattern: Answer | None,
    expected: int | None = None,
) -> None:
    """See that the server does what all do: predict, validate; the bare ones, send the same.

    Args:
        port: Where it listens.
        contestant: The server.
        request: How it is asked.
        pattern: Stopgap's own answer, for who has to send the same.
        expected: What the model says to the valid question; None: there is no model.

    Raises:
        NotMeasured: it does not, so its figures would say nothing.
    """
    answer = ask(port, valid(request))
    if not answer.predicts:
        raise NotMeasured(f"answers {answer.status} {answer.body[:100]!r}: no prediction")
    if expected is not None and not answer.says(expected):
        raise NotMeasured(f"answers {answer.body[:100]!r}: not the model's {expected}")
    if contestant.validates and ask(port, invalid(request)).status < HTTPStatus.BAD_REQUEST:
        raise NotMeasured("takes a month that is none")
    if not contestant.validates and pattern and answer.names != pattern.names:
        raise NotMeasured(f"sends other headers than Stopgap: {', '.join(answer.names)}")
