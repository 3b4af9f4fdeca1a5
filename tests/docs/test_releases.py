"""The page of releases: what it says tells how far off a model is."""

import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tests.acceptance.server import environment
from tests.docs.markdown import ROOT, blocks, shell_lines
from tests.docs.walking import commands
from tests.journal.filling import add, at
from tests.journal.records import record

from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, migrate

PAGE = ROOT / "docs" / "releases.md"


def test_how_far_off_it_is(tmp_path: Path) -> None:
    """With actual values told and answers exported, the page's Python sums up the differences."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    answers = [
        record(at=at(datetime.now(UTC)) - age, release="1", output=b"3000") for age in range(3)
    ]
    with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as database:
        migrate(database, JOURNAL)
        add(database, answers)
    told = f"{answers[0].id} 3100\n{answers[1].id} 2700\n"
    (tmp_path / "actuals.txt").write_text(told)
    settings = environment(STOPGAP_DATA=str(data))
    settings["PATH"] = f"{commands(tmp_path / 'bin')}:{settings['PATH']}"

    def run(*words: str) -> str:
        return subprocess.run(
            words, check=True, cwd=tmp_path, env=settings, capture_output=True, text=True
        ).stdout

    for line in shell_lines(PAGE):
        if line.startswith("stopgap journal "):
            run("bash", "-c", line)
    [program] = [block.text for block in blocks(PAGE) if block.language == "python"]
    summed = dict(line.split() for line in run("python", "-W", "error", "-c", program).splitlines())
    assert {name: float(summed[name]) for name in ("count", "mean", "max")} == {
        "count": 2,
        "mean": 200,
        "max": 300,
    }
