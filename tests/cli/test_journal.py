"""`stopgap journal`: what has been answered."""

import csv
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Run, opened, shell
from tests.journal.filling import add, at
from tests.journal.records import encode, record

from stopgap.clock import RandomIds
from stopgap.journal.record import Record
from stopgap.journal.segment import claim
from stopgap.journal.spool import Spool
from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, migrate

Fill = Callable[[Sequence[Record]], None]


def now() -> datetime:
    """Tell the moment at which the test that asks began; the command goes by the real time."""
    return BEGAN[-1]


BEGAN = [datetime.now(UTC)]


@pytest.fixture(autouse=True)
def _began() -> None:
    BEGAN.append(datetime.now(UTC))


@pytest.fixture
def fill(data: Path) -> Fill:
    """Give what puts records into the installation's journal."""

    def fill(records: Sequence[Record]) -> None:
        with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as database:
            migrate(database, JOURNAL)
            add(database, records)

    return fill


def visits(minutes_ago: int, **inputs: Any) -> Record:
    """Make a record like MadCompany's, whose answer tells how old it is."""
    text = json.dumps({"seller_available": 5, "month": "may"} | inputs)
    when = at(now() - timedelta(minutes=minutes_ago))
    return record(at=when, inputs=text.encode(), output=b"%d" % (2000 + minutes_ago))


def parcel(**inputs: Any) -> Record:
    """Make a record of the parcel's contract, from an hour ago."""
    return record(
        at=at(now() - timedelta(hours=1)),
        contract="delivery-time",
        inputs=json.dumps(inputs).encode(),
        output=b'{"days":2.5,"carrier":"north"}',
    )


def answers(run: Run, *words: str) -> list[Any]:
    """List the answers of what a command finds."""
    result = run("journal", "list", "--json", *words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line)["output"] for line in result.stdout.splitlines()]


def test_an_empty_journal(run: Run) -> None:
    """A fresh installation has an empty journal, which is no error."""
    assert run("journal", "list").stdout == "There are no such answers.\n"
    assert run("journal", "stats").stdout == "There are no such answers.\n"
    assert run("journal", "export", "--json").stdout == ""
    assert run("journal", "list", "--json").stdout == ""


def test_list(run: Run, fill: Fill) -> None:
    """Answers are listed the newest first: a table for people, an object a line for programs."""
    newest, older = visits(1), visits(2)
    fill([older, newest])
    lines = run("journal", "list").stdout.splitlines()
    assert lines[0].split() == ["at", "id", "contract", "release", "inputs", "answer", "actual"]
    assert [newest.id in lines[1], older.id in lines[2]] == [True, True]
    (line,) = run("journal", "list", "--json", "--limit", "1").stdout.splitlines()
    assert json.loads(line) == {
        "request_id": newest.id,
        "at": (now() - timedelta(minutes=1)).isoformat(timespec="microseconds"),
        "contract": "madcompany",
        "fingerprint": newest.fingerprint,
        "release": "stand-in",
        "caller": None,
        "inputs": {"seller_available": 5, "month": "may"},
        "output": 2001,
        "micros": 37,
        "actual": None,
    }
    assert answers(run, "--before", newest.id) == [2002]


def test_show(run: Run, fill: Fill, data: Path) -> None:
    """One answer is looked up by its X-Request-Id, with the name of the account that asked."""
    assert run("account", "add", "ann", "--generate").exit_code == 0
    with opened(data) as parts:
        ann = parts.accounts.get("ann").id
    one = replace(visits(1), caller=ann)
    fill([visits(2), one])
    found = run("journal", "show", one.id)
    told = dict(line.split(maxsplit=1) for line in found.stdout.splitlines())
    assert told == {
        "at": (now() - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S"),
        "id": one.id,
        "contract": "madcompany",
        "release": "stand-in",
        "inputs": '{"seller_available": 5, "month": "may"}',
        "answer": "2001",
        "actual": "-",
        "account": "ann",
        "caller": ann,
        "microseconds": "37",
        "fingerprint": one.fingerprint,
    }
    (line,) = run("journal", "show", one.id, "--json").stdout.splitlines()
    assert json.loads(line)["request_id"] == one.id
    assert json.loads(line)["output"] == 2001


def test_filters(run: Run, fill: Fill) -> None:
    """Answers are chosen by time, names, inputs and themselves, as the contract reads them."""
    fill([visits(30, seller_available=1), visits(20), visits(10, month="june"), parcel(kg=1.5)])
    visited = [2010, 2020, 2030]
    assert answers(run, "--contract", "madcompany") == visited
    assert answers(run, "--since", "25m") == [2010, 2020]
    assert answers(run, "--until", (now() - timedelta(minutes=15)).isoformat())[:2] == [2020, 2030]
    assert answers(run, "--release", "stand-in", "--contract", "madcompany") == visited
    assert answers(run, "--where", "month=Mai") == [2020, 2030]
    assert answers(run, "--where", "month=6") == [2010]
    assert answers(run, "--where", "seller_avaible=2..") == [2010, 2020]
    assert answers(run, "--where", "seller_available=..4") == [2030]
    assert answers(run, "--where", "seller_available=1", "--where", "month=june") == []
    assert answers(run, "--answer", "2015..2025") == [2020]
    assert answers(run, "--answer", "2030") == [2030]
    assert len(answers(run, "--answer", "carrier=north")) == 1
    assert len(answers(run, "--where", "kg=1..2", "--answer", "days=2.5")) == 1


def test_a_word_that_its_contract_has_dropped(run: Run, fill: Fill) -> None:
    """A choice of old is found while an answer has it; else one is told what may be."""
    fill([visits(30, month="smarch"), visits(20), replace(visits(10), output=b'"few"')])
    assert answers(run, "--answer", "few") == ["few"]
    assert answers(run, "--where", "month=smarch") == [2030]
    for asked in ("month=smarc", "month=Smarch"):
        refused = run("journal", "list", "--where", asked)
        assert (refused.exit_code, "is not one of january" in refused.stderr) == (2, True)


def test_inputs_that_were_once_of_another_name_or_type(run: Run, fill: Fill) -> None:
    """After a compatible change of its contract, what was answered before is found as ever."""
    renamed = replace(visits(30), inputs=b'{"seller_avaible":4,"month":"may"}')
    fill([renamed, visits(20, seller_available="4", month=5), visits(10, seller_available=4)])
    for name in ("seller_available", "seller_avaible"):
        assert answers(run, "--where", f"{name}=4") == [2010, 2020, 2030]
        assert answers(run, "--where", f"{name}=4..") == [2010, 2030]
    assert answers(run, "--where", "month=5") == [2010, 2020, 2030]
    assert answers(run, "--where", "seller_available=4", "--where", "month=5") == [2010, 2020, 2030]


def test_filters_by_account(run: Run, fill: Fill, data: Path) -> None:
    """An account's answers are found by its name, and anybody's by the id of who asked."""
    run("account", "add", "ann", "--generate")
    with opened(data) as parts:
        owner = parts.accounts.get("ann").id
    fill([record(caller=owner, output=b"3000"), record(caller="guest-1", output=b"4000")])
    assert answers(run, "--account", "ann") == [3000]
    assert answers(run, "--caller", "guest-1") == [4000]
    assert run("journal", "list", "--account", "nobody").exit_code == os.EX_NOINPUT


@pytest.mark.parametrize(
    "words",
    [
        ["--where", "month"],
        ["--where", "nope=1"],
        ["--where", "month=smarch"],
        ["--where", "seller_available=few"],
        ["--where", "seller_available=1..few"],
        ["--answer", "a..b"],
        ["--answer", "3000..2000"],
        ["--answer", "nope=3"],
        ["--release", "standin"],
        ["--release", "99"],
        ["--since", "yesterday"],
        ["--since", "2030-01-01", "--until", "2020-01-01"],
        ["--since", "999999d"],
        ["--limit", "0"],
    ],
)
def test_what_cannot_be_read(run: Run, words: list[str]) -> None:
    """A filter that makes no sense is a mistake of use, told in one line."""
    result = run("journal", "list", *words)
    assert result.exit_code == 2
    assert "Error: Invalid value for" in result.stderr


def test_a_contract_that_there_is_not(run: Run, fill: Fill) -> None:
    """A slip of the pen is told; one that was served once, and has answers, is not."""
    fill([parcel(kg=1)])
    (line,) = run("journal", "list", "--contract", "delivery-time", "--json").stdout.splitlines()
    assert json.loads(line)["contract"] == "delivery-time"
    for words in (("list",), ("stats",), ("export",)):
        result = run("journal", *words, "--contract", "nope")
        told = "No contract is called nope; there are madcompany."
        assert (result.exit_code, told in result.stderr) == (2, True)


def test_an_input_that_there_is_not(run: Run, fill: Fill) -> None:
    """Who asks for an input that no contract has and no record had is told which there are."""
    fill([parcel(kg=1.5)])
    stderr = run("journal", "list", "--where", "nope=1").stderr
    assert "No contract has an input nope; there are seller_available, month," in stderr
    assert "kg" in stderr


def test_a_member_that_there_is_not(run: Run, fill: Fill) -> None:
    """Who asks for a member that no answer has is told which there are; those of old count, too."""
    fill([parcel(kg=1)])
    stderr = run("journal", "list", "--answer", "dayz=1..9").stderr
    assert "No answer has a member dayz; there are " in stderr
    assert "days" in stderr
    assert answers(run, "--answer", "3..9") == []
    assert len(answers(run, "--answer", "days=0..100")) == 1


def test_the_stand_in_by_its_number(run: Run, fill: Fill) -> None:
    """The stand-in is release 0, as the list of releases says, also before it has answered."""
    assert answers(run, "--release", "0") == []
    fill([record(output=b"3000"), record(output=b"4000", release="7")])
    assert answers(run, "--release", "0") == answers(run, "--release", "stand-in") == [3000]
    assert answers(run, "--release", "7") == [4000]  # which is in no register any more


def test_stats(run: Run, fill: Fill) -> None:
    """Each release is summed up, in the time that is asked for."""
    fill([visits(10), visits(20), visits(30 * 24 * 60)])
    (line,) = run("journal", "stats", "--json").stdout.splitlines()
    assert json.loads(line) == {
        "contract": "madcompany",
        "release": "stand-in",
        "answers": 3,
        "median_micros": 38,
        "p99_micros": 38,
    }
    (line,) = run("journal", "stats", "--json", "--since", "7d").stdout.splitlines()
    assert json.loads(line)["answers"] == 2


def test_export_json(run: Run, fill: Fill) -> None:
    """An export prints each answer as one object a line, under the id that its client was told."""
    made = [visits(minute) for minute in range(1, 40)]
    fill(made)
    lines = run("journal", "export", "--json").stdout.splitlines()
    assert [json.loads(line)["request_id"] for line in lines] == [each.id for each in made]
    since = (now() - timedelta(minutes=8.5)).isoformat()
    assert len(run("journal", "export", "--json", "--since", since).stdout.splitlines()) == 8


def test_export_csv(run: Run, fill: Fill) -> None:
    """A CSV has a column for each field; what a spreadsheet would run is quoted."""
    fill([visits(1), parcel(kg=-1.5, note="=cmd()", fragile=True)])
    head, *rows = csv.reader(run("journal", "export").stdout.splitlines())
    by_name = [dict(zip(head, row, strict=True)) for row in rows]
    assert head[0] == "request_id"
    assert (by_name[0]["output"], by_name[0]["input.month"], by_name[0]["input.kg"]) == (
        "2001",
        "may",
        "",
    )
    parcels = {name: by_name[1][name] for name in head if name.startswith(("input", "output."))}
    assert {name: value for name, value in parcels.items() if value} == {
        "input.kg": "-1.5",
        "input.note": "'=cmd()",
        "input.fragile": "true",
        "output.days": "2.5",
        "output.carrier": "north",
    }


def test_letters_that_a_terminal_lacks(fill: Fill, environment: dict[str, str]) -> None:
    """An export is UTF-8 wherever it goes; in a list such letters are spelt out."""
    fill([replace(visits(1), output='"so 😀"'.encode())])
    latin = environment | {"PYTHONIOENCODING": "latin-1"}
    export = shell("journal", "export", **latin)
    assert (export.returncode, export.stderr) == (0, "")
    (row,) = csv.DictReader(export.stdout.splitlines())
    assert row["output"] == "so 😀"
    shown = shell("journal", "list", **latin)
    assert (shown.returncode, r'"so \U0001f600"' in shown.stdout) == (0, True)


def test_actual(run: Run, fill: Fill) -> None:
    """What really came of an answer is kept, whatever range was promised; the last counts."""
    one = visits(1)
    fill([one])
    for value in ("3000", "-7", "6000"):
        assert run("journal", "actual", one.id, value).exit_code == 0
    (line,) = run("journal", "list", "--json").stdout.splitlines()
    assert json.loads(line)["actual"] == 6000
    for value in ("many", "5.5", "", "true"):
        result = run("journal", "actual", one.id, value)
        assert (result.exit_code, "is not an integer" in result.stderr) == (2, True)


def test_an_actual_object(run: Run, fill: Fill) -> None:
    """What came of an answer that is an object is one, with members that were promised."""
    one = parcel(kg=1)
    fill([one])
    contract = {"STOPGAP_CONTRACTS": "examples/delivery.py:contract"}
    for value in ('{"days":20}', '{"days":20,"carrier":"north"}'):
        assert run("journal", "actual", one.id, value, **contract).exit_code == 0
    for wrong in ("20", "{", "{}", '{"weeks":20}', '{"days":20,"carrier":"west"}'):
        assert run("journal", "actual", one.id, wrong, **contract).exit_code == 2
    unserved = run("journal", "actual", one.id, value)
    assert (unserved.exit_code, "STOPGAP_CONTRACTS" in unserved.stderr) == (2, True)


def test_actual_values_line_by_line(run: Run, fill: Fill) -> None:
    """Many are read from standard input; a line that cannot be kept is told, and stops no other."""
    one, two = visits(1), visits(2)
    fill([one, two])
    lines = f"{one.id} 3000\r\n\n{two.id} many\nunknown 5\n{two.id}\n\0\udcff 7\n{two.id} 3100"
    result = run("journal", "actual", "-", typed=lines.encode(errors="surrogateescape"))
    assert (result.exit_code, result.stdout) == (os.EX_NOINPUT, "Kept 2 values.\n")
    told = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert told == ["Line 3", "Line 4", "Line 5", "Line 6"]
    listed = map(json.loads, run("journal", "list", "--json").stdout.splitlines())
    assert [each["actual"] for each in listed] == [3000, 3100]
    assert run("journal", "actual", "-", typed=f"{one.id} 1").exit_code == 0
    assert run("journal", "actual", one.id).exit_code == 2


def test_an_unknown_answer(run: Run) -> None:
    """An id that no answer has is told in one line."""
    for words in (("actual", "unknown", "5"), ("list", "--before", "unknown"), ("show", "unknown")):
        result = run("journal", *words)
        assert result.stderr == "stopgap: The journal has no answer to the request unknown.\n"
        assert result.exit_code == os.EX_NOINPUT


def test_what_still_waits_is_looked_up_too(run: Run, data: Path) -> None:
    """Without a server, an answer in the spool is moved by whoever asks for it."""
    with closing(Spool(data / "spool", RandomIds())) as spool:
        spool.append(encode(visits(3)))
        assert answers(run) == [2003]
        assert run("journal", "export", "--json").stderr == ""


def test_what_cannot_be_read_is_named(
    run: Run, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of the spool that cannot be read is named to who asks; all others are moved."""
    with closing(Spool(data / "spool", RandomIds())) as spool:
        spool.append(encode(visits(3)))
    (data / "spool" / "1.spool").mkdir()
    result = run("journal", "list", "--json")
    assert [json.loads(line)["output"] for line in result.stdout.splitlines()] == [2003]
    assert "1.spool stays in the spool until it can be read and deleted" in caplog.text
    assert "still wait" in result.stderr


def test_what_cannot_be_told_yet_is_said(run: Run, data: Path, fill: Fill) -> None:
    """Where answers do not come into the journal in time, who asks is told that some miss."""
    fill([visits(3)])
    with (
        closing(Spool(data / "spool", RandomIds())) as spool,
        ExitStack() as stack,
    ):
        spool.append(encode(visits(4)))
        lock = stack.enter_context((data / "spool" / "drainer.lock").open("wb"))
        assert claim(lock.fileno())
        result = run("journal", "list", "--json")
    assert [json.loads(line)["output"] for line in result.stdout.splitlines()] == [2003]
    assert "still wait" in result.stderr
