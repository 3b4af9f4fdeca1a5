"""Downloads: an export of any size, made by a process of its own and read as it is made."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.journal.filling import add, various
from tests.journal.records import record

from stopgap.journal import downloads
from stopgap.journal.conditions import answer_condition
from stopgap.journal.downloads import AT_ONCE, Download, Downloads, DownloadsBusy
from stopgap.journal.exporter import Order, command
from stopgap.journal.filters import EVERYTHING, Condition, Filters
from stopgap.storage.database import Database

PIECE = 65_536


@pytest.fixture
def some(database_url: str) -> Iterator[Downloads]:
    """Give the downloads of a worker."""
    made = Downloads(database_url)
    yield made
    made.close()


def ended(download: Download) -> bool:
    """Tell whether a download's process ends within seconds."""
    try:
        download._process.wait(10)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_the_order() -> None:
    """What is ordered arrives as it was said, on one line."""
    renamed = Condition(
        part="input", name="a\nb", aliases=(("c", "d"),), low="x", high="x", others=(5.0, True)
    )
    filters = Filters(
        since=datetime(2030, 1, 1, tzinfo=UTC),
        release="7",
        caller="ann",
        conditions=(Condition(part="output", low=1, high=2), renamed),
    )
    order = Order(database_url="sqlite:///a b", form="csv", filters=filters)
    assert order.line().count(b"\n") == 1
    assert Order.read(order.line()) == order


def test_a_database_that_is_away_is_told_in_a_line(tmp_path: Path) -> None:
    """The server's log says what was in the way; who reads sees no good end."""
    order = Order(database_url=f"sqlite:///{tmp_path / 'gone' / 'journal.db'}", form="csv")
    pipe = subprocess.PIPE
    with subprocess.Popen(command(), stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(order.line())
        process.stdin.flush()  # closed, it would be the end
        assert process.wait(30) == os.EX_UNAVAILABLE
        exported, told = process.communicate()
    assert exported == b""
    assert "cannot be used" in json.loads(told)["event"]


def test_every_answer_is_exported(journal_database: Database, some: Downloads) -> None:
    """An export has all answers that were asked for, and no others, whoever reads it how."""
    records = various(3000)
    add(journal_database, records, block_records=8192)
    wanted = Filters(caller="ann", conditions=(answer_condition((), "", "3000.."),))
    with closing(some.start("jsonl", wanted)) as download:
        text = b""
        while piece := download.read(10_000):
            text += piece
    expected = {
        each.id
        for each in records
        if each.caller == "ann" and each.output.isdigit() and int(each.output) >= 3000
    }
    assert expected
    lines = [json.loads(line)["request_id"] for line in text.splitlines()]
    assert len(lines) == len(expected)
    assert set(lines) == expected


def test_a_csv(journal_database: Database, some: Downloads) -> None:
    """A text that a spreadsheet would run is made harmless on this way too."""
    add(journal_database, [record(inputs=b'{"note":"=cmd()","=x":"\xc3\xbc"}')])
    add(journal_database, [record(inputs='{"note":"\uff1dcmd()"}'.encode())])
    with closing(some.start("csv", EVERYTHING)) as download:
        text = download.read(PIECE).decode()
    assert "'=cmd()" in text
    assert "'\uff1dcmd()" in text
    assert ",input.=x," in text
    assert "ü" in text


def test_a_few_at_once(
    journal_database: Database, some: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are so many and no more; who reads slowly makes room, in time."""
    add(journal_database, various(3000), block_records=8192)
    begun = [some.start("jsonl", EVERYTHING) for _ in range(AT_ONCE)]
    with pytest.raises(DownloadsBusy):
        some.start("jsonl", EVERYTHING)
    monkeypatch.setattr(downloads, "GRACE_SECONDS", 0.1)
    time.sleep(0.2)
    with closing(some.start("jsonl", EVERYTHING)):
        assert ended(begun[0])
        with pytest.raises(OSError, match="ended early"):
            begun[0].read()
    for each in begun:
        each.close()
    with closing(some.start("jsonl", EVERYTHING)):
        pass


def test_who_goes_ends_it(journal_database: Database, some: Downloads) -> None:
    """A download that is closed leaves no process behind, and closing it twice does no harm."""
    add(journal_database, various(3000), block_records=8192)
    download = some.start("jsonl", EVERYTHING)
    assert download.read(100)
    download.close()
    download.close()
    assert ended(download)


def test_it_ends_with_who_ordered(journal_database: Database, database_url: str) -> None:
    """When the worker is gone, killed for example, its exporters end too."""
    add(journal_database, various(3000), block_records=8192)
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(Order(database_url=database_url, form="jsonl").line())
        process.stdin.flush()
        assert process.stdout.read(100)
        process.stdin.close()
        assert process.wait(10) == 69


def test_nothing_of_the_working_folder_is_run(
    journal_database: Database, some: Downloads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file there that is called like a part of Python's library is not taken for it."""
    add(journal_database, various(3))
    (tmp_path / "csv.py").write_text("raise SystemExit('mine was run')")
    monkeypatch.chdir(tmp_path)
    with closing(some.start("csv", EVERYTHING)) as download:
        assert download.read(PIECE).count(b"\n") == 4


def test_an_export_that_breaks_off(some: Downloads, journal_database: Database) -> None:
    """An export that cannot be made to its end is an error, and no short file."""
    del journal_database  # there, so that only its end is missing
    with closing(some.start("jsonl", EVERYTHING)) as download:
        download.end()
        with pytest.raises(OSError, match="ended early"):
            download.read(PIECE)


def test_ended_downloads_give_their_places_back(
    journal_database: Database, some: Downloads
) -> None:
    """Who has closed a download has made room for another at once."""
    add(journal_database, various(10))
    for _ in range(2):
        every = [some.start("jsonl", EVERYTHING) for _ in range(AT_ONCE)]
        for download in every:
            download.close()
