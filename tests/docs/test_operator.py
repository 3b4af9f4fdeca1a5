"""The operator's page: what it says about a backup brings one back."""

import os
import re
import subprocess
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.databases import installed_programs
from tests.docs.markdown import ROOT, blocks, shell_lines

from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, MAIN, History, migrate, version_of

PAGE = ROOT / "docs" / "operator.md"
HISTORIES = (MAIN, JOURNAL)
OLDER = (replace(MAIN, head="0003"), replace(JOURNAL, head="0001"))


def command(program: str) -> str:
    """Find the page's one command of a program."""
    [line] = [line for line in shell_lines(PAGE) if line.startswith(f"{program} ")]
    return line


def bring_to(url: str, *histories: History) -> list[str]:
    """Start some Stopgap on a database; tell the versions of its tables before."""
    with closing(open_database(url)) as database:
        with database.read() as connection:
            found = [version_of(connection, database.name, each) for each in HISTORIES]
        for history in histories:
            migrate(database, history)
    return found


def test_a_postgresql_is_as_it_was_before_an_upgrade(postgresql_url: str, tmp_path: Path) -> None:
    """A dump of an older version replaces a newer one's tables, and can be upgraded again."""
    programs = f"{installed_programs()}:{os.environ['PATH']}"
    environment = os.environ | {"DATABASE_URL": postgresql_url, "PATH": programs}

    def run(program: str) -> None:
        subprocess.run(command(program), shell=True, check=True, cwd=tmp_path, env=environment)

    bring_to(postgresql_url, *OLDER)
    run("pg_dump")
    for _ in range(2):  # what was restored can be backed up as well
        bring_to(postgresql_url, *HISTORIES)
        run("psql")
        run("pg_restore")
        assert bring_to(postgresql_url) == [each.head for each in OLDER]
        run("pg_dump")


def test_libraries_of_models_are_those_that_are_tested() -> None:
    """The page's image has versions that our extras ask for, and so our pins are made for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    [image] = [block.text for block in blocks(PAGE) if block.language == "dockerfile"]
    named = re.findall(r"'([^']+)'", image)
    assert sorted(named) == sorted(extras["onnx"])
