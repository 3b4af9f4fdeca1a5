"""The Procfile's web process, in an environment that holds `requirements.txt` alone, as on Heroku.

Heroku's buildpack installs `requirements.txt` and not the project; its router's port and its
database come as PORT and DATABASE_URL, the latter as `postgres://`.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.acceptance.client import Client
from tests.acceptance.server import ROOT, SECRET, STOPGAP, environment

START_SECONDS = 30


@pytest.fixture(scope="module")
def slug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what Heroku makes of a push: the checkout, and an environment with the pins alone."""
    folder = tmp_path_factory.mktemp("slug")
    for name in ("Procfile", "ML_server.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r"]
    subprocess.run(
        [folder / "venv" / "bin" / "python", *install, folder / "requirements.txt"],
        check=True,
        timeout=300,
    )
    return folder


def free_port() -> int:
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def web(slug: Path, **config: str) -> Iterator[int]:
    """Run the Procfile's web process with Heroku's variables; it ends when it is told to."""
    port = free_port()
    path = f"{slug / 'venv' / 'bin'}:{os.environ['PATH']}"
    told = environment(PATH=path, PORT=str(port), STOPGAP_SECRET=SECRET, **config)
    told.pop("PYTHONPATH")
    with (slug / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "honcho", "--no-colour", "start", "web"],
            cwd=slug,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_up(port, process, slug / "output")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    said = (slug / "output").read_text()
    assert "Traceback" not in said
    assert '"level": "error"' not in said


def wait_until_up(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until the process answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        try:
            assert Client(port=port).get("/status").body == b"Alive!"
        except ConnectionError:
            time.sleep(0.05)
        else:
            return


def assert_passes_the_check(port: int) -> None:
    """Hold the process against the contract, and against what the mail's author will try first."""
    check = [*STOPGAP, "contract", "check", f"http://127.0.0.1:{port}"]
    anybody: list[str] = []
    for who in (anybody, ["--username", "orhan", "--password", "12345"]):
        ended = subprocess.run(
            [*check, *who],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_environment_has_nothing_else(slug: Path) -> None:
    """The environment holds the pins alone: the project itself is not installed there."""
    python = slug / "venv" / "bin" / "python"
    for module in ("stopgap", "pytest", "honcho"):
        command = [str(python), "-c", f"import {module}"]
        ended = subprocess.run(command, cwd="/", capture_output=True, check=False)
        assert ended.returncode != 0, module


def test_the_operators_commands(slug: Path, postgresql_url: str) -> None:
    """A one-off dyno runs the operator's commands from the checkout alone, as the docs say."""
    (line,) = [
        shlex.split(line)
        for line in (ROOT / "docs/hosting.md").read_text().splitlines()
        if line.startswith("heroku run ") and "account list" in line
    ]
    path = f"{slug / 'venv' / 'bin'}:{os.environ['PATH']}"
    told = environment(PATH=path, DATABASE_URL=postgresql_url, STOPGAP_SECRET=SECRET)
    ended = subprocess.run(
        ["/bin/sh", "-c", line[-1]],
        cwd=slug,
        env=told | {"PYTHONPATH": str(slug)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("name "), ended.stdout


def test_with_a_database(slug: Path, postgresql_url: str) -> None:
    """With Heroku's PostgreSQL the process sets up its own tables, and keeps the contract."""
    url = postgresql_url.replace("postgresql://", "postgres://")
    with web(slug, DATABASE_URL=url) as port:
        assert_passes_the_check(port)


def test_without_a_database(slug: Path) -> None:
    """Without one it keeps its things in its own folder, and keeps the contract."""
    with web(slug) as port:
        assert_passes_the_check(port)
        client = Client(port=port)
        assert client.sign_in("orhan", "12345").status == 200
