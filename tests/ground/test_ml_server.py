"""ML_server.py: the program that the client's mail names."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "ML_server.py"


def run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with no setting and no path but the data's."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | {"STOPGAP_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_is_serve(tmp_path: Path) -> None:
    """It does what `stopgap serve` does, from any folder."""
    told = run([sys.executable, PROGRAM, "--help"], tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: stopgap serve ")


def test_other_commands(tmp_path: Path) -> None:
    """Where Stopgap is not installed, as on Heroku, `python -m stopgap.cli` has every command."""
    source = f"PYTHONPATH={ROOT / 'src'}"
    command = ["env", source, sys.executable, "-m", "stopgap.cli", "account", "list"]
    first, second = run(command, tmp_path), run(command, tmp_path)
    assert first.stderr == f"There was no data folder yet: {tmp_path / 'data'} is new.\n"
    assert (second.returncode, second.stderr) == (0, "")
    assert "orhan" in second.stdout


def test_without_libraries(tmp_path: Path) -> None:
    """Without its libraries it says in one line which command installs them, and fails."""
    told = run([sys.executable, "-I", "-S", PROGRAM], tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.count("\n") == 1
    assert "`make run`" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_flask_routes(tmp_path: Path) -> None:
    """`flask --app ML_server routes` lists the routes that the mail asks for."""
    told = run([sys.executable, "-m", "flask", "--app", PROGRAM, "routes"], tmp_path)
    assert told.returncode == 0, told.stderr
    assert {"/status", "/login", "/images"} <= set(told.stdout.split())
