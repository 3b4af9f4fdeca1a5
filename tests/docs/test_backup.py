"""The page of backups: what it says brings one back."""

import os
import re
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.databases import installed_programs
from tests.docs.markdown import ROOT, blocks

from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, MAIN, History, migrate, version_of

PAGE = ROOT / "docs" / "backup.md"
HISTORIES = (MAIN, JOURNAL)
OLDER = (replace(MAIN, head="0003"), replace(JOURNAL, head="0001"))


def script(program: str) -> str:
    """Find the page's one block that has PostgreSQL's program do something, as a script."""
    named = re.compile(rf"^{program} .*\$DATABASE_URL", re.MULTILINE)
    [text] = [block.text for block in blocks(PAGE) if named.search(block.text)]
    return text


def bring_to(url: str, *histories: History) -> list[str]:
    """Start some Stopgap on a database; tell the versions of its tables before."""
    with closing(open_database(url)) as database:
        with database.read() as connection:
            found = [version_of(connection, database.name, each) for each in HISTORIES]
        for history in histories:
            migrate(database, history)
    return found


def test_a_postgresql_is_as_it_was_before_an_upgrade(postgresql_url: str, tmp_path: Path) -> None:
    """An older version's dump replaces a newer one's tables; a broken one changes nothing."""
    programs = f"{installed_programs()}:{os.environ['PATH']}"
    environment = os.environ | {"DATABASE_URL": postgresql_url, "PATH": programs}

    def run(program: str) -> bool:
        done = subprocess.run(
            script(program), shell=True, check=False, cwd=tmp_path, env=environment
        )
        return done.returncode == 0

    bring_to(postgresql_url, *OLDER)
    assert run("pg_dump")
    for _ in range(2):  # what was restored can be backed up as well
        bring_to(postgresql_url, *HISTORIES)
        assert run("pg_restore")
        assert bring_to(postgresql_url) == [each.head for each in OLDER]
        assert run("pg_dump")
    dump = tmp_path / "stopgap.dump"
    for half in (dump.read_bytes()[: dump.stat().st_size // 2], b""):
        dump.write_bytes(half)
        assert not run("pg_restore")  # and nothing has been dropped
        assert bring_to(postgresql_url) == [each.head for each in OLDER]
