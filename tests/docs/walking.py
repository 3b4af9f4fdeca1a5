"""Walking through a page: each command of its shell blocks is run, in order, by a real shell."""

import doctest
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.docs.markdown import blocks

CHECKER = doctest.OutputChecker()
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PATIENCE = 90.0
"""Seconds until a command that only looks must say what the page shows: a model is being loaded."""

LOOKS = ("curl ", "stopgap release show", "stopgap release list")
"""How commands begin that change nothing, and may be run again until what was begun is done."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command, and what the page says that it prints; `...` stands for anything."""

    command: str
    told: str = ""

    def at(self, url: str) -> "Step":
        """Ask the server that is there, where the page has the usual one."""
        return replace(self, command=self.command.replace("http://localhost:5000", url))


def steps(page: Path) -> Iterator[Step]:
    """List a page's commands; the text block after a shell block is what its last one prints."""
    pending: list[str] = []
    for block in blocks(page):
        if block.language == "sh":
            yield from (Step(command=each) for each in pending)
            lines = block.text.replace("\\\n", " ").splitlines()
            pending = [line.strip() for line in lines if line.strip() and line[0] != "#"]
        elif block.language == "text" and pending:
            *before, last = pending
            yield from (Step(command=each) for each in before)
            yield Step(command=last, told=block.text)
            pending = []
    yield from (Step(command=each) for each in pending)


def commands(folder: Path) -> Path:
    """Put `python` and `stopgap` into a folder, as an activated environment has them."""
    folder.mkdir()
    stopgap = "-c \"from stopgap.cli import main; main(prog_name='stopgap')\""
    for name, begins in (("python", ""), ("stopgap", stopgap)):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {begins} "$@"\n')
        script.chmod(0o755)
    return folder


def walk(step: Step, folder: Path, environment: Mapping[str, str]) -> None:
    """Run one command; hold it to what the page says, or just to success."""
    deadline = time.monotonic() + PATIENCE
    while True:
        finished = subprocess.run(
            ["bash", "-o", "pipefail", "-c", step.command],
            check=False,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        good = finished.returncode == 0 and _as_told(step, finished.stdout)
        if good:
            return
        if not step.command.startswith(LOOKS) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    said = f"{finished.stdout}{finished.stderr}"
    message = f"{step.command}\nsays ({finished.returncode}):\n{said}\nThe page:\n{step.told}"
    raise AssertionError(message)


def _as_told(step: Step, said: str) -> bool:
    return not step.told or CHECKER.check_output(f"{step.told}\n", said, FLAGS)
