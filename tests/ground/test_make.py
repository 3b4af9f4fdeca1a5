"""The Makefile and the set-up, with empty pin files, so that nothing has to be fetched."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def make(folder: Path, *words: str, python: str = sys.executable, **more: str) -> tuple[int, str]:
    """Run make; give its exit code, and everything that it said."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        ["make", *words],
        cwd=folder,
        env=kept | {"PYTHON": python} | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return finished.returncode, finished.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a clone that needs no libraries, in a folder with a space in its name."""
    folder = tmp_path / "a clone"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "src/stopgap/cli").mkdir(parents=True)
    (folder / "src/stopgap/cli/__init__.py").write_text(
        "import sys\n\ndef main(prog_name): print(prog_name, *sys.argv[1:])\n"
    )
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("")
    return folder


def test_lists_itself() -> None:
    """`make` alone lists what there is, and does nothing."""
    code, said = make(ROOT)
    assert code == 0
    listed = re.findall(r"^  make (\S+)", said, re.MULTILINE)
    assert listed[:6] == ["help", "run", "test", "check", "format", "pins"]
    assert set(listed) == set(re.findall(r"^(\w[\w-]*):.*##", MAKEFILE, re.MULTILINE))


def would_set_up(clone: Path) -> bool:
    """Tell whether `make run` would begin with the set-up."""
    return ".ci/set-up" in make(clone, "--dry-run", "run")[1]


def test_set_up(clone: Path) -> None:
    """Set-up is done once, and again when the pins are newer or its Python is gone."""
    assert make(clone, "run", "-j4")[1].splitlines()[-1] == "stopgap serve"
    assert make(clone, "run") == (0, "stopgap serve\n")

    later = (clone / ".venv/runtime").stat().st_mtime + 1
    os.utime(clone / "requirements.txt", (later, later))
    assert would_set_up(clone)

    os.utime(clone / ".venv/runtime", (later, later))
    assert not would_set_up(clone)
    (clone / ".venv/bin/python").unlink()
    assert would_set_up(clone)


def test_failed_set_up(clone: Path) -> None:
    """A set-up that failed halfway is no set-up: the next run does it again."""
    (clone / "requirements.txt").write_text("without-hash==1\n")
    code, said = make(clone, "run")
    assert (code != 0, "stopgap serve" in said) == (True, False)
    assert (clone / ".venv/bin/python").exists()
    assert would_set_up(clone)


@pytest.mark.parametrize("given", [{"PIP_USER": "1"}, {"PIP_TARGET": "elsewhere"}])
def test_another_place_for_pip(clone: Path, given: dict[str, str]) -> None:
    """Who has pip install elsewhere gets what runs into .venv all the same."""
    assert make(clone, "run", **given)[1].splitlines()[-1] == "stopgap serve"
    assert not (clone / "elsewhere").exists()


def test_the_source_is_compiled_once(clone: Path) -> None:
    """A shell that keeps Python from writing bytecode does not make each start compile anew."""
    assert make(clone, "run", PYTHONDONTWRITEBYTECODE="1")[0] == 0
    assert list((clone / "src/stopgap/cli").glob("__pycache__/__init__.*.pyc"))


def test_without_a_browser(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no browser can be installed that is told, and the tests run: most need none."""
    (clone / "src/pytest.py").write_text("import sys\nprint('pytest', sys.argv[-1])\n")
    for name in ("apt-get", "sudo"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code, said = make(clone, "test", "CHROMIUM=/nowhere", "ARGS=tests/contracts")
    assert (code, said.splitlines()[-1]) == (0, "pytest tests/contracts")
    assert "The tests of the pages need Chromium" in said


@pytest.mark.parametrize("python", ["./python3.10", "no-such-python"])
def test_wrong_python(clone: Path, python: str) -> None:
    """A Python that is too old, or is not there, is refused in one line, and nothing is made."""
    old = clone / "python3.10"
    old.write_text("#!/bin/sh\nexit 1  # as it answers when it is asked whether it is 3.11\n")
    old.chmod(0o755)
    code, said = make(clone, "run", python=python)
    first, second = said.splitlines()
    assert code != 0
    assert first.startswith(f"Stopgap needs Python 3.11 or newer, and {python} is not")
    assert second.startswith("make: ***")
    assert not (clone / ".venv").exists()
