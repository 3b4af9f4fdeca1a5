"""The OpenAPI document, held against the server that serves it: Schemathesis, all checks on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.acceptance.server import ML_SERVER, ROOT, STOPGAP, Server, environment, running
from tests.acceptance.test_two_contracts import BOTH

EXAMPLES = 30
"""Requests made up for each operation, beside those for each edge of its schema."""

PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server of two contracts that keeps more guests' images than usual."""
    folder = tmp_path_factory.mktemp("openapi")
    command = (*ML_SERVER, *BOTH)
    with running(folder, {"STOPGAP_GUEST_IMAGES": "100000"}, command=command) as one:
        yield one


def schemathesis(server: Server, folder: Path) -> str:
    """Hold the server against its document in every way that there is; return the report."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"]
    ways = ["--checks", "all", "--max-examples", str(EXAMPLES), "--generation-deterministic"]
    report = ["--continue-on-failure", "--output-truncate", "false"]
    told = environment(SCHEMATHESIS_HOOKS="tests.acceptance.real_images")
    ended = subprocess.run(
        [*command, *ways, *report],
        cwd=folder,
        env=told | {"PYTHONPATH": f"{ROOT}:{told['PYTHONPATH']}", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    for phase in PHASES:
        assert f"✅ {phase}" in ended.stdout
    return ended.stdout


def test_the_document_is_one(server: Server) -> None:
    """The document is OpenAPI 3.1, and describes what can be asked of this server."""
    answer = server.client().get("/openapi.json")
    assert answer.header("Content-Type") == "application/json"
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_anybody(server: Server, tmp_path: Path) -> None:
    """What the document allows is answered as it says, and what it does not is refused."""
    schemathesis(server, tmp_path)


def test_somebody(server: Server, tmp_path: Path) -> None:
    """The same holds for who sends an API key, who can list and delete images too."""
    made = subprocess.run(
        [*STOPGAP, "key", "create", "orhan"],
        env=environment(STOPGAP_DATA=str(server.data)),
        capture_output=True,
        text=True,
        check=True,
    )
    (key,) = [word for word in made.stdout.split() if word.startswith("sk_")]
    (tmp_path / "schemathesis.toml").write_text(f'[auth.openapi]\nkey = {{ bearer = "{key}" }}\n')
    report = schemathesis(server, tmp_path)
    assert "Authentication failed" not in report
