"""An installation of its own for each test, and commands that are run on it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.commands import Run

from stopgap.cli import main


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """Give a data folder whose database has our schema and no rows."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copyfile(migrated_file, folder / "stopgap.db")
    return folder


@pytest.fixture
def environment(data: Path) -> dict[str, str]:
    """Give the settings of the test's installation."""
    return {"STOPGAP_DATA": str(data), "STOPGAP_DEMO_ACCOUNT": "false"}


@pytest.fixture
def run(environment: Mapping[str, str]) -> Run:
    """Run a command on the installation, in this process."""

    def call(*words: str, typed: str | bytes | None = None, **more: str) -> Result:
        return CliRunner().invoke(
            main, words, input=typed, env={**environment, **more}, prog_name="stopgap"
        )

    return call
