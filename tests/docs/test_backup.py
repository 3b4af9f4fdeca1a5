"""The page of backups: what it says brings one back."""

import os
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.databases import installed_programs
from tests.docs.markdown import ROOT, shell_lines

from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, MAIN, History, migrate, version_of

PAGE = ROOT / "docs" / "backup.md"
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
