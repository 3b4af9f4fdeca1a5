"""`stopgap key`: API keys."""

import json
import os
from pathlib import Path

from tests.commands import Run, opened


def test_a_key(run: Run, data: Path) -> None:
    """A key is all that goes to standard output, and signs its account in until it is revoked."""
    run("account", "add", "ann", "--generate")
    made = run("key", "create", "ann", "--label", "nightly")
    secret = made.stdout.removesuffix("\n")
    with opened(data) as parts:
        caller = parts.keys.caller(secret)
        assert caller is not None
        assert caller.name == "ann"
        [row] = [json.loads(line) for line in run("key", "list", "--json").stdout.splitlines()]
        assert (row["account"], row["label"]) == ("ann", "nightly")
        assert secret not in run("key", "list").stdout
        assert run("key", "revoke", row["id"]).exit_code == 0
        assert parts.keys.caller(secret) is None
    assert run("key", "list").stdout == "There are no API keys.\n"


def test_keys_of_one_account(run: Run) -> None:
    """A list can be of one account's keys alone."""
    for name in ("ann", "bob"):
        run("account", "add", name, "--generate")
        run("key", "create", name)
    rows = [json.loads(line) for line in run("key", "list", "bob", "--json").stdout.splitlines()]
    assert [row["account"] for row in rows] == ["bob"]


def test_a_label_cannot_move_the_cursor(run: Run) -> None:
    """What people see of a list has no control characters in it."""
    run("account", "add", "ann", "--generate")
    run("key", "create", "ann", "--label", "\u202eevil")
    assert "\u202e" not in run("key", "list").stdout


def test_refusals(run: Run) -> None:
    """An unknown account or key is one line, and an exit code of its kind."""
    for words in (("create", "nobody"), ("list", "nobody"), ("revoke", "0" * 16)):
        result = run("key", *words)
        assert (result.exit_code, result.stdout) == (os.EX_NOINPUT, "")
        assert result.stderr.count("\n") == 1
