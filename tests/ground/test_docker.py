"""The Dockerfile: what can be held without an engine to build it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from stopgap.settings import PLATFORM_NAMES, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]

Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """Read a Dockerfile: comments gone, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name.upper(), value.strip()) for name, _, value in pairs]


def of_last_stage(name: str) -> list[str]:
    """Give what the image itself says: the arguments of an instruction in its last stage."""
    everything = instructions((ROOT / "Dockerfile").read_text())
    start = max(place for place, (each, _) in enumerate(everything) if each == "FROM")
    return [value for each, value in everything[start:] if each == name]


def environment() -> dict[str, str]:
    """Give the variables that the image sets."""
    words = (word.partition("=") for line in of_last_stage("ENV") for word in line.split())
    return {name: value for name, _, value in words}


def test_stages() -> None:
    """Both stages are one slim Python: the minor version that Heroku runs too."""
    version = (ROOT / ".python-version").read_text().strip()
    everything = instructions((ROOT / "Dockerfile").read_text())
    images = [value.split()[0] for name, value in everything if name == "FROM"]
    assert images == [f"python:{version}-slim-trixie"] * 2


def test_libraries_by_hash() -> None:
    """Nothing is installed but what requirements.txt names, by its hash."""
    text = (ROOT / "Dockerfile").read_text()
    commands = [value for name, value in instructions(text) if name == "RUN" and "pip" in value]
    assert [command.count(" install ") for command in commands] == [1]
    assert commands[0].endswith("--require-hashes -r requirements.txt")


def test_nobody_special() -> None:
    """The server runs as a numbered user who owns nothing but the data folder."""
    assert of_last_stage("USER") == ["10001:10001"]
    assert of_last_stage("VOLUME") == [environment()["STOPGAP_DATA"]]
    assert "--uid 10001" in of_last_stage("RUN")[0]


def test_command_gets_signals() -> None:
    """The command is in exec form, without a shell between SIGTERM and the server."""
    assert [json.loads(value) for value in of_last_stage("CMD")] == [["python", "ML_server.py"]]
    assert of_last_stage("ENTRYPOINT") == []


def test_program(tmp_path: Path) -> None:
    """The image has `stopgap` too: without it nobody could make the first account."""
    (line,) = [line for line in of_last_stage("RUN") if "/bin/stopgap" in line]
    (tmp_path / "src").symlink_to(ROOT / "src")
    here = line.replace("/usr/local/bin", str(tmp_path)).replace("/stopgap/", f"{tmp_path}/")
    subprocess.run(["/bin/sh", "-euc", here], cwd=tmp_path, check=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = subprocess.run(
        [tmp_path / "stopgap", "account", "add", "--help"],
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.stdout.startswith("Usage: stopgap account add "), told.stderr


def test_environment() -> None:
    """The image sets settings that exist, listens on every interface, and holds no secret."""
    rows = {PREFIX + row.name.upper(): row for row in fields(Settings)}
    given = environment()
    ours = {name for name in given if name.startswith(PREFIX)}
    assert ours <= set(rows)
    assert not any(rows[name].metadata["secret"] for name in ours)
    assert (given["STOPGAP_HOST"], given[PLATFORM_NAMES["port"]]) == ("0.0.0.0", "5000")


def test_sources_exist() -> None:
    """Whatever the Dockerfile copies is there, and .dockerignore lets it and nothing else in."""
    text = (ROOT / "Dockerfile").read_text()
    copies = [value.split()[:-1] for name, value in instructions(text) if name == "COPY"]
    sources = {source for words in copies if not words[0].startswith("--") for source in words}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert all((ROOT / source).exists() for source in sources)
    assert {line[1:] for line in ignored if line.startswith("!")} == sources
    assert "*" in ignored


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Run a server that always answers with `status`; give its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/status" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def healthy(port: int, **settings: str) -> bool:
    """Run the image's own healthcheck, against a port of this machine."""
    (check,) = of_last_stage("HEALTHCHECK")
    python, *rest = json.loads(check.partition("CMD ")[2])
    assert python == "python"
    variables = os.environ | {"PORT": str(port), "http_proxy": "http://127.0.0.1:1"} | settings
    finished = subprocess.run(
        [sys.executable, *rest], env=variables, capture_output=True, timeout=10, check=False
    )
    return finished.returncode == 0


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False), (503, False)])
def test_healthcheck(status: int, *, expected: bool) -> None:
    """The healthcheck asks /status itself, past any proxy, and takes nothing but 200."""
    with answering(status) as port:
        assert healthy(port) is expected


def test_healthcheck_of_another_port() -> None:
    """STOPGAP_PORT wins over PORT, for who asks as for who listens."""
    with answering(200) as port:
        assert healthy(1, STOPGAP_PORT=str(port))


def test_healthcheck_of_nothing() -> None:
    """Where nobody listens, nothing is healthy."""
    with answering(200) as port:
        pass
    assert not healthy(port)


def test_database_is_awaited() -> None:
    """The server waits for the database that stays: by TCP, not by the first start's own socket."""
    text = (ROOT / "deploy/compose.yaml").read_text()
    (check,) = re.findall(r"^ +test: (.*)", text, re.MULTILINE)
    assert json.loads(check) == ["CMD", "pg_isready", "--host=127.0.0.1", "--username=stopgap"]


def test_the_dead_are_buried() -> None:
    """Whoever does as the docs say has a first process that buries what a killed worker leaves."""
    server, _, _ = (ROOT / "deploy/compose.yaml").read_text().partition("\n  database:")
    assert "\n    init: true" in server
    assert "docker run --rm --init " in (ROOT / "docs/hosting.md").read_text()
