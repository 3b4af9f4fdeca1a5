"""The program: all its commands explain themselves, and refuse in one line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.commands import ROOT, Run, shell

from stopgap.accounts.account import AccountNotFound
from stopgap.accounts.passwords import PasswordFixed
from stopgap.cli import main
from stopgap.cli.exit_codes import exit_code_of
from stopgap.errors import StopgapError
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.storage.objects import DiskFull


def commands(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """List every command of a group, and of the groups in it."""
    for name, command in group.commands.items():
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)


ALL = list(commands(main))


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_help(run: Run, words: tuple[str, ...], command: click.Command) -> None:
    """Every command's help has an example, and a word about each option."""
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"stopgap {words[0]}" in result.stdout
    for option in command.params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None)


@pytest.mark.parametrize(
    ("told", "unneeded"), [("main", "sqlalchemy"), ("main.commands['release']", "flask")]
)
def test_nothing_is_imported_in_vain(told: str, unneeded: str) -> None:
    """A version is told without what commands need, and a command without what the server needs."""
    looks = f"sys.exit('{unneeded}' in sys.modules)"
    program = f"import sys; from stopgap.cli import main; {told}; {looks}"
    environment = {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", program], check=False, env=environment)
    assert done.returncode == 0


@pytest.mark.parametrize("words", [["doctor", "--settings"], ["journal", "export"]])
def test_a_full_disk(tmp_path: Path, words: list[str]) -> None:
    """Output for which there is no room, is told in one line, with a code of its own."""
    program = [sys.executable, "-W", "error", "-c", "from stopgap.cli import main; main()", *words]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            program,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={"PYTHONPATH": str(ROOT / "src"), "STOPGAP_DATA": str(tmp_path)},
        )
    assert result.stderr == "stopgap: The output cannot be written: No space left on device.\n"
    assert result.returncode == os.EX_IOERR


def test_nobody_to_read(tmp_path: Path) -> None:
    """Who starts it without a standard output wants none: it does its work, and ends well."""
    for words in (["doctor", "--settings"], ["account", "list"], ["journal", "export"]):
        program = "import sys; sys.stdout = None; from stopgap.cli import main; main()"
        result = subprocess.run(
            [sys.executable, "-c", program, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": str(ROOT / "src"), "STOPGAP_DATA": str(tmp_path)},
        )
        assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("journal actual -", "Kept 0 values.\n"),
        ("account add ann --password-stdin", "Error: Standard input had no password.\n"),
    ],
)
def test_nothing_to_read(tmp_path: Path, words: str, told: str) -> None:
    """Who starts it without a standard input gives it nothing to read."""
    result = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m stopgap.cli {words} <&-'],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT / "src"), "STOPGAP_DATA": str(tmp_path)},
    )
    assert (result.stdout + result.stderr).endswith(told)


def test_a_setting_that_is_none() -> None:
    """A mistake in the settings is one line on standard error, and the code of a bad set-up."""
    result = shell("account", "list", STOPGAP_TYPO="1")
    assert (result.returncode, result.stdout) == (os.EX_CONFIG, "")
    assert result.stderr.startswith("stopgap: STOPGAP_TYPO is not a setting")
    assert result.stderr.count("\n") == 1


def test_what_another_says_in_many_lines(run: Run, tmp_path: Path) -> None:
    """What a library has said in lines of its own is one line, too."""
    file = tmp_path / "wrong.py"
    file.write_text("raise ValueError('one\\n\\n  two')")
    result = run("contract", "show", "--contract", f"{file}:contract")
    assert result.exit_code == os.EX_CONFIG
    assert result.stderr == (
        f"stopgap: '{file}:contract' cannot be imported: ValueError: one two (line 1).\n"
    )


def test_a_contract_that_ends_the_program(run: Run, tmp_path: Path) -> None:
    """Whoever compares or checks a contract is not told by silence that all is well."""
    file = tmp_path / "main.py"
    file.write_text("import sys\nsys.exit()")
    for command in (["show", "--contract"], ["diff", "stopgap.contracts.madcompany:contract"]):
        result = run("contract", *command, f"{file}:contract")
        assert (result.exit_code, "SystemExit" in result.stderr) == (os.EX_CONFIG, True)


def test_no_command(run: Run) -> None:
    """Without a command there is the list of all."""
    assert "contract" in run().output


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (AccountNotFound, os.EX_NOINPUT),
        (PasswordFixed, os.EX_NOPERM),
        (DatabaseUnreachable, os.EX_UNAVAILABLE),
        (DiskFull, os.EX_CANTCREAT),
    ],
)
def test_exit_codes_say_what_a_script_can_do(kind: type[StopgapError], code: int) -> None:
    """What may succeed later, what is forbidden and what is not there are told apart."""
    assert exit_code_of(kind) == code
