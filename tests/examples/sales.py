"""The sales example, made the way that its reader makes it: step by step, in a copy."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "sales"


@dataclass(frozen=True, kw_only=True)
class Made:
    """The example after all of its steps."""

    folder: Path
    said: Mapping[str, str]  # by step


def made(folder: Path) -> Made:
    """Copy the example, and take every step."""
    copy = copied(folder)
    said = {step: run(copy, step) for step in ("make_data", "train", "export")}
    return Made(folder=copy, said=said)


def copied(folder: Path) -> Path:
    """Copy the scripts, and nothing that somebody has made with them here."""
    copy = folder / "examples" / "sales"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("sales.*", "__pycache__"))
    return copy


def run(copy: Path, step: str) -> str:
    """Run one step; give what it says. A warning ends it."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", copy / f"{step}.py"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
