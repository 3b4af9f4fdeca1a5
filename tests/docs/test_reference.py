"""The reference pages mention everything there is, and the other pages nothing that is not."""

import re
import shlex
from dataclasses import fields
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from tests.docs.markdown import WRITTEN_PAGES, name_of, shell_lines

from docs import generate
from stopgap.cli import main
from stopgap.settings import CREDENTIALS, PLATFORM_NAMES, PREFIX, Settings
from stopgap.telemetry.exposition import FAMILIES

SETTING = re.compile(rf"{PREFIX}[A-Z][A-Z_]*")
written = pytest.mark.parametrize("page", WRITTEN_PAGES, ids=name_of)


def page(name: str) -> str:
    """Read a reference page."""
    return (generate.FOLDER / name).read_text(encoding="utf-8")


def test_pages_are_current() -> None:
    """A reference page is what docs/generate.py makes of the code today."""
    assert [path.name for path in generate.stale()] == []


def test_every_setting_is_mentioned() -> None:
    """No setting is missing in the table of settings."""
    names = {name for row in fields(Settings) for name in generate.setting_names(row.name)}
    assert {name for name in names if f"`{name}`" not in page("settings.md")} == set()


def test_every_secret_that_a_model_does_not_get_is_mentioned() -> None:
    """Who wonders where a variable has gone finds it on the page for whoever hands in a model."""
    told = (generate.FOLDER.parent / "model.md").read_text(encoding="utf-8")
    names = CREDENTIALS.union(PLATFORM_NAMES.values())
    assert {name for name in names if f"`{name}`" not in told} == set()


def test_every_route_is_mentioned(app: Flask) -> None:
    """No route is missing in the table of routes."""
    rows = {
        f"| `{method}` | `{generate.address_of(rule)}` |"
        for method, rule, _ in generate.routes(app)
    }
    assert {row for row in rows if row not in page("routes.md")} == set()


def test_every_route_has_a_docstring(app: Flask) -> None:
    """Whoever opens a view of ours reads what the route does."""
    views = {
        endpoint: view.func if isinstance(view, partial) else view
        for endpoint, view in app.view_functions.items()
    }
    assert [name for name, view in views.items() if not view.__doc__] == ["static"]  # Flask's own


def test_every_command_is_mentioned() -> None:
    """No command is missing in the page of commands."""
    names = {path for path, _ in generate.commands("stopgap", main)}
    headings = set(re.findall(r"^## (.+)$", page("commands.md"), re.MULTILINE))
    assert names == headings


def test_every_error_is_mentioned() -> None:
    """No kind of error is missing in the page of errors."""
    codes = {kind.code for kind in generate.error_kinds()}
    assert {code for code in codes if f"| `{code}` |" not in page("errors.md")} == set()


@written
def test_settings_that_pages_name_exist(page: Path) -> None:
    """A page names no setting that there is not."""
    known = {name for row in fields(Settings) for name in generate.setting_names(row.name)}
    named = {name.removesuffix("_FILE") for name in SETTING.findall(page.read_text("utf-8"))}
    assert named - known == set()


@written
def test_commands_that_pages_name_exist(page: Path) -> None:
    """A page tells nobody to type a command, an option or an argument that there is not."""
    typed = [line.removeprefix(".venv/bin/") for line in shell_lines(page)]
    for line in typed:
        if line.startswith("stopgap "):
            parse(line)


def parse(line: str) -> None:
    """Read a line as the program would, without doing what it says.

    Raises:
        click.UsageError: the program would not know what to do.
    """
    command: click.Command = main
    words = shlex.split(re.split(" [<>] ", line)[0])[1:]  # without the files that the shell opens
    while isinstance(command, click.Group):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    with CliRunner().isolation(input="y\n"):  # whoever is asked "are you sure?" is
        command.make_context("stopgap", words)


def test_every_metric_is_mentioned() -> None:
    """No metric is missing in the page of metrics."""
    assert {each.name for each in FAMILIES if f"`{each.name}`" not in page("metrics.md")} == set()
