"""`stopgap account`: who may sign in."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands import Run, opened, shell
from tests.journal.records import encode, record
from tests.pictures import png

from stopgap.accounts.permissions import Role
from stopgap.images.image import ImageNotFound, Uploader
from stopgap.journal.entry import Entry
from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal
from stopgap.storage.database_faults import DatabaseUnreachable

TYPED = "open sesame\nopen sesame\n"


def test_a_typed_password(run: Run, data: Path) -> None:
    """A password is typed twice, never shown, and lets its account in."""
    result = run("account", "add", "ann", typed=TYPED)
    assert (result.exit_code, result.stdout) == (0, "Added ann (client).\n")
    assert "sesame" not in result.output
    with opened(data) as parts:
        caller, _ = parts.sign_in.sign_in("ann", "open sesame", "127.0.0.1")
    assert (caller.account, caller.role) == (True, Role.CLIENT)


def test_a_mistyped_password(run: Run) -> None:
    """A password that is typed in two ways is asked for again."""
    result = run("account", "add", "ann", typed="one\nother\n" + TYPED)
    assert result.exit_code == 0
    assert "do not match" in result.stderr


def test_a_password_from_standard_input(run: Run, data: Path) -> None:
    """The first line of standard input is the password, as it is but for its end."""
    result = run("account", "add", "ann", "--password-stdin", typed=" päss word \r\nmore\n")
    assert result.exit_code == 0
    with opened(data) as parts:
        caller, _ = parts.sign_in.sign_in("ann", " päss word ", "127.0.0.1")
    assert caller.account


def test_a_generated_password(run: Run, data: Path) -> None:
    """A generated password is all that goes to standard output, and is strong."""
    result = run("account", "add", "bob", "--operator", "--generate")
    password = result.stdout.removesuffix("\n")
    assert len(password) == 36
    with opened(data) as parts:
        caller, _ = parts.sign_in.sign_in("bob", password, "127.0.0.1")
    assert caller.role is Role.OPERATOR


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["--generate", "--password-stdin"], "x\n"),
        (["--password-stdin"], ""),
        (["--password-stdin"], "\n"),
        (["secret"], None),
    ],
)
def test_no_password(run: Run, words: list[str], typed: str | None) -> None:
    """Two ways at once, nothing, or a password as an argument are mistakes of use."""
    result = run("account", "add", "ann", *words, typed=typed)
    assert result.exit_code == 2
    assert "Error:" in result.stderr
    assert run("account", "list").stdout == "There are no accounts.\n"


def test_refusals(run: Run) -> None:
    """A name that is taken, unknown or impossible is one line, and an exit code of its kind."""
    run("account", "add", "ann", "--generate")
    for words, code in (
        (("add", "ANN", "--generate"), os.EX_CANTCREAT),
        (("add", "a\nb", "--generate"), os.EX_DATAERR),
        (("password", "nobody", "--generate"), os.EX_NOINPUT),
        (("disable", "nobody"), os.EX_NOINPUT),
        (("enable", "nobody"), os.EX_NOINPUT),
        (("delete", "nobody", "--yes"), os.EX_NOINPUT),
        (("export", "nobody"), os.EX_NOINPUT),
    ):
        result = run("account", *words)
        assert (result.exit_code, result.stdout) == (code, "")
        assert result.stderr.startswith("stopgap: ")


def test_a_weak_password(run: Run) -> None:
    """What is wrong with a password or a name is told once, in one line."""
    command = ("account", "add", "ada", "--password-stdin")
    weak = run(*command, typed="correct-horse\n", STOPGAP_PASSWORD_RULES="true")
    assert weak.exit_code == os.EX_DATAERR
    assert weak.stderr == "stopgap: The password must have at least 15 characters.\n"
    assert run("account", "add", "a\nb", "--generate").stderr.count("\n") == 1


def test_list(run: Run) -> None:
    """Accounts are listed by name: a table for people, an object a line for programs."""
    run("account", "add", "bob", "--operator", "--generate")
    run("account", "add", "ann", "--generate")
    run("account", "disable", "ann")
    lines = run("account", "list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["name", "role", "disabled"],
        ["ann", "client", "yes"],
        ["bob", "operator", "no"],
    ]
    rows = [json.loads(line) for line in run("account", "list", "--json").stdout.splitlines()]
    assert [(row["name"], row["disabled"]) for row in rows] == [("ann", True), ("bob", False)]


def test_a_new_password(run: Run, data: Path) -> None:
    """A changed password ends the sessions of the old one."""
    run("account", "add", "ann", "--password-stdin", typed="old\n")
    with opened(data) as parts:
        _, session = parts.sign_in.sign_in("ann", "old", "127.0.0.1")
        assert run("account", "password", "ann", "--password-stdin", typed="new\n").exit_code == 0
        assert parts.sessions.caller(session) is None
        parts.sign_in.sign_in("ann", "new", "127.0.0.1")


def test_what_ends_with_a_password(run: Run) -> None:
    """It is told that the published password's keys end with it, and only there."""
    demo = {"STOPGAP_DEMO_ACCOUNT": "true"}
    run("key", "create", "orhan", **demo)
    for ended in ("sessions and API keys", "sessions"):
        told = run("account", "password", "orhan", "--password-stdin", typed="new\n", **demo)
        assert told.stdout == f"Changed the password of orhan; its {ended} have ended.\n"
    assert run("key", "list", **demo).stdout == "There are no API keys.\n"


def test_disable_and_enable(run: Run, data: Path) -> None:
    """A disabled account's key is refused until it is enabled again."""
    run("account", "add", "ann", "--generate")
    secret = run("key", "create", "ann").stdout.strip()
    with opened(data) as parts:
        for command, let_in in (("disable", False), ("enable", True)):
            assert run("account", command, "ann").exit_code == 0
            assert (parts.keys.caller(secret) is not None) is let_in


def test_the_demos_account_cannot_be_deleted(run: Run) -> None:
    """A published password would be back at the next start; without the demo it can go."""
    demo = {"STOPGAP_DEMO_ACCOUNT": "true"}
    result = run("account", "delete", "Orhan", "--yes", **demo)
    assert (result.exit_code, "disable it" in result.stderr) == (2, True)
    assert run("account", "disable", "orhan", **demo).exit_code == 0
    assert "Deleted orhan" in run("account", "delete", "orhan", "--yes").stdout
    assert "orhan" not in run("account", "list").stdout


def test_delete(run: Run, data: Path) -> None:
    """A deleted account takes its images with it; without a yes it stays."""
    run("account", "add", "ann", "--generate")
    with opened(data) as parts:
        owner = parts.accounts.get("ann").id
        image = parts.images.add(png(), Uploader(id=owner, guest=False, address="127.0.0.1"))
        parts.spool.append(encode(record(caller=owner)))
        assert run("account", "delete", "ann", typed="n\n").exit_code == 1
        assert parts.images.get(image.name, owner) == image
        assert "its images (1)" in run("account", "delete", "ann", "--yes").stdout
        with pytest.raises(ImageNotFound):
            parts.images.get(image.name, owner)
    (answer,) = run("journal", "list", "--json").stdout.splitlines()
    assert json.loads(answer)["caller"] is None
    assert not list((data / "objects").rglob("*.png"))


def test_export(run: Run, data: Path) -> None:
    """An export tells all that is kept of an account, and none of its secrets."""
    run("account", "add", "ann", "--password-stdin", typed="the password\n")
    secret = run("key", "create", "ann", "--label", "nightly").stdout.strip()
    with opened(data) as parts:
        owner = parts.accounts.get("ann").id
        parts.spool.append(encode(record(caller=owner)))
        image = parts.images.add(png(), Uploader(id=owner, guest=False, address="127.0.0.1"))
        _, session = parts.sign_in.sign_in("ann", "the password", "127.0.0.1")
        (seen_at,) = parts.sessions.addresses(owner)
    text = run("account", "export", "ann").stdout
    kept = json.loads(text)
    assert kept["account"]["name"] == "ann"
    assert [key["label"] for key in kept["keys"]] == ["nightly"]
    assert [each["name"] for each in kept["images"]] == [image.name]
    assert len(kept["sessions"]) == 1
    assert kept["addresses"] == [{"seen_at": seen_at.isoformat()}]
    assert [each["caller"] for each in kept["answers"]] == [owner]
    for word in ("argon2", "the password", session, secret.rpartition("_")[2]):
        assert word not in text


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_export_is_one_indented_object(run: Run, data: Path, count: int) -> None:
    """However many answers there are, the document is as one that is written at once."""
    run("account", "add", "ann", "--generate")
    with opened(data) as parts:
        owner = parts.accounts.get("ann").id
        for _ in range(count):
            parts.spool.append(encode(record(caller=owner, output='"a\\n  \\"é"'.encode())))
    text = run("account", "export", "ann").stdout
    kept = json.loads(text)
    assert list(kept) == ["account", "sessions", "addresses", "keys", "images", "answers"]
    assert [each["output"] for each in kept["answers"]] == ['a\n  "é'] * count
    assert text == json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def test_an_export_collects_no_answers(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before an answer cannot be read is there: none is kept until the last."""
    run("account", "add", "ann", "--generate")
    with opened(data) as parts:
        owner = parts.accounts.get("ann").id
        one = Entry(position=1, record=record(caller=owner), actual=None)

    def export(_journal: Journal, _filters: Filters) -> Iterator[Entry]:
        yield one
        yield one
        raise DatabaseUnreachable("database", "it is away")

    monkeypatch.setattr(Journal, "export", export)
    result = run("account", "export", "ann")
    assert result.exit_code != 0
    assert result.stdout.count(one.record.id) == 2


def test_an_export_is_utf_8(run: Run, environment: dict[str, str]) -> None:
    """It can be read back, whatever the terminal's encoding has no letters for."""
    run("account", "add", "ann", "--password-stdin", typed="the password\n")
    run("key", "create", "ann", "--label", "très 😀")
    export = shell("account", "export", "ann", **environment | {"PYTHONIOENCODING": "latin-1"})
    assert (export.returncode, export.stderr) == (0, "")
    assert [key["label"] for key in json.loads(export.stdout)["keys"]] == ["très 😀"]
