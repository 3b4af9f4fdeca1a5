"""The tutorial is true: its commands are run beside a real server, and say what it says."""

import re
import shutil
from pathlib import Path

from tests.acceptance.server import environment, running
from tests.docs.markdown import ROOT, blocks
from tests.docs.walking import commands, steps, walk

PAGE = ROOT / "docs" / "tutorial.md"
MAKE = re.compile(r"^make (\S+)$", re.MULTILINE)


def test_every_step_is_as_told(tmp_path: Path) -> None:
    """From the stand-in to a live model, to another, and all the way back."""
    shutil.copytree(
        ROOT / "examples",
        tmp_path / "examples",
        ignore=shutil.ignore_patterns("sales.*", "__pycache__"),
    )
    with running(tmp_path) as server:
        settings = environment(STOPGAP_DATA=str(server.data))
        settings["PATH"] = f"{commands(tmp_path / 'bin')}:{settings['PATH']}"
        for step in steps(PAGE):
            walk(step.at(server.url), tmp_path, settings)


def test_what_is_not_run_is_there() -> None:
    """The set-up, which the tests have already, names targets that the Makefile has."""
    said = "\n".join(block.text for block in blocks(PAGE) if block.language == "console")
    makefile = (ROOT / "Makefile").read_text()
    assert [each for each in MAKE.findall(said) if f"\n{each}:" not in makefile] == []
    assert MAKE.findall(said) == ["run", ".venv/dev"]


def test_every_command_shows_what_it_says() -> None:
    """Whoever only reads sees what would happen: nearly every command has its answer below it."""
    told = [bool(step.told) for step in steps(PAGE)]
    assert sum(told) >= 0.8 * len(told)
