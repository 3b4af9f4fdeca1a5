"""Writes the reference pages from the code, so that they cannot drift away from it.

Run `python docs/generate.py`; with `--check` it writes nothing, and fails when a page is stale.
"""  # noqa: INP001  # a script; the pages around it are no package

import argparse
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask
from werkzeug.routing import Rule

import stopgap
from stopgap import problems
from stopgap.cli import main as program
from stopgap.cli.exit_codes import exit_code_of
from stopgap.errors import StartRefused, StopgapError, kinds
from stopgap.settings import PLATFORM_NAMES, PREFIX, Settings, read_settings
from stopgap.telemetry.exposition import FAMILIES
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app

FOLDER = Path(__file__).parent / "reference"
MARK = "<!-- Written by docs/generate.py from the code. Change the code, then run it again. -->"
HELP_WIDTH = 96
AUTOMATIC_METHODS = {"HEAD", "OPTIONS"}
"""Methods that Flask adds by itself: HEAD beside every GET, OPTIONS everywhere."""


def pages() -> dict[str, str]:
    """Write every reference page; file name -> text."""
    return {
        "settings.md": settings_page(),
        "routes.md": routes_page(),
        "commands.md": commands_page(),
        "errors.md": errors_page(),
        "metrics.md": metrics_page(),
    }


def settings_page() -> str:
    """Write the table of settings."""
    rows = (
        (
            "<br>".join(f"`{name}`" for name in setting_names(row.name)),
            row.metadata["help"],
            row.metadata["allowed"],
            _default(row.default, row.metadata["production"]),
        )
        for row in dataclasses.fields(Settings)
    )
    return _page(
        "Settings",
        "Settings are environment variables, read once at the start. `stopgap serve` has options "
        "for some of them; an option wins over the variable.",
        "`STOPGAP_<NAME>_FILE` names a file that holds the value, for secrets. `DATABASE_URL` and "
        "`REDIS_URL` have no such form: use `STOPGAP_DATABASE_URL_FILE` and `STOPGAP_LIMITS_FILE`. "
        "A `STOPGAP_` name that is not in this table, or a value out of its range, or one with "
        "blanks, line ends or quotes around it, stops the start with one line.",
        "The production profile does not start without a secret and a database.",
        _table(("Name", "What it is", "Allowed", "Default"), rows),
    )


def metrics_page() -> str:
    """Write the table of metrics."""
    rows = (
        (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.help)
        for each in FAMILIES
    )
    return _page(
        "Metrics",
        "`GET /metrics` has the numbers of all workers together, in Prometheus' text format. It "
        "takes an operator's session or key, or the token in `STOPGAP_METRICS_TOKEN`.",
        _table(("Name", "Kind", "Labels", "What it is"), rows),
    )


def setting_names(key: str) -> list[str]:
    """Name the variables that give a setting: ours, then the hosting platforms' own."""
    platform = PLATFORM_NAMES.get(key)
    return [PREFIX + key.upper(), *([platform] if platform else [])]


def _default(demo: Any, production: Any) -> str:
    """Write the default of the demo, and production's where it is another."""
    same = demo == production
    return _shown(demo) if same else f"{_shown(demo)}; in production {_shown(production)}"


def _shown(value: Any) -> str:
    """Write a default as it would stand in the environment."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def routes_page() -> str:
    """Write the table of routes, as they are when MadCompany's contract is served."""
    rows = (
        (f"`{method}`", f"`{address_of(rule)}`", about)
        for method, rule, about in routes(application())
    )
    return _page(
        "Routes",
        "Every route of a server that serves MadCompany's contract. Another contract has its own "
        "path, and its prefix, instead of `/predict`; the rest is the same everywhere. A server "
        "documents its routes, with every answer and error, at `/docs` and `/openapi.json`.",
        "Each `GET` answers `HEAD` too. A trailing slash makes no difference.",
        _table(("Method", "Path", "What it does"), rows),
    )


def application() -> Flask:
    """Build the application, in a folder that is gone afterwards; its routes are all we need."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(read_settings({"STOPGAP_DATA": folder}))
        app.extensions[NAME].close()
    return app


def routes(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """List the application's routes: method, rule, and the first line of the view's docstring."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        about = first_paragraph(view.func if isinstance(view, partial) else view)
        if rule.endpoint == "static":  # Flask's own view
            about = "Send a file that the pages need: style, scripts, icon."
        elif rule.endpoint.endswith("_rest"):
            about = "Say what is wrong with a path that does not fit the contract."
        for method in sorted((rule.methods or set()) - AUTOMATIC_METHODS):
            yield method, rule, about


def address_of(rule: Rule) -> str:
    """Write a rule for people: without converters, and with an ellipsis for whatever follows."""
    return re.sub(r"<(\w+:)?(\w+)>", r"<\2>", rule.rule).replace("<rest>", "…")


def commands_page() -> str:
    """Write every command's own help."""
    sections = [
        f"## {path}\n\n```text\n{help_of(path, command)}\n```"
        for path, command in commands("stopgap", program)
    ]
    return _page(
        "Commands",
        "The `--help` of the program and of each of its commands. Exit codes: "
        "[errors](errors.md).",
        *sections,
    )


def commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """List a command and, where it is a group, all below it; `stopgap key list` -> command."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in sorted(command.commands.items()):
            yield from commands(f"{path} {name}", below)


def help_of(path: str, command: click.Command) -> str:
    """Write a command's help, as wide as a page."""
    context = click.Context(
        command,
        info_name=path,
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
        help_option_names=["-h", "--help"],
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def errors_page() -> str:
    """Write the kinds of error: those that clients meet, then those that stop a start."""
    known = error_kinds()
    over_http = [kind for kind in known if not issubclass(kind, StartRefused)]
    at_start = [kind for kind in known if issubclass(kind, StartRefused)]
    told = sorted((problems.status_of(kind), kind.code, kind) for kind in over_http)
    return _page(
        "Errors",
        "Over HTTP, an error is a problem document (RFC 9457, `application/problem+json`), or a "
        "page for browsers. Its `type` is `/problems/<code>`, a page that the server itself has. "
        "A command that fails over one of these prints one line on standard error, and ends with "
        "its exit code. Two more codes: 2, an option or argument is wrong (the usage is shown, "
        "too); 1, a check has found something, or a question was not answered with yes.",
        "## Over HTTP, and in commands",
        _table(
            ("Status", "Code", "What it means", "Exit code"),
            (
                (str(status), f"`{code}`", first_paragraph(kind), str(exit_code_of(kind)))
                for status, code, kind in told
            ),
        ),
        "## At the start",
        "The server or command does not start, and nothing has been changed.",
        _table(
            ("Code", "What it means", "Exit code"),
            (
                (f"`{kind.code}`", first_paragraph(kind), str(exit_code_of(kind)))
                for kind in sorted(at_start, key=lambda kind: kind.code)
            ),
        ),
    )


def error_kinds() -> list[type[StopgapError]]:
    """List every kind of error that the package defines."""
    for module in pkgutil.walk_packages(stopgap.__path__, "stopgap."):
        if ".migrations" not in module.name:  # scripts, which Alembic alone can run
            importlib.import_module(module.name)
    return [kind for kind in kinds() if kind.__module__.split(".")[0] == "stopgap"]


def first_paragraph(documented: object) -> str:
    """Return the first paragraph of a docstring, as one line."""
    text = inspect.getdoc(documented) or ""
    return " ".join(text.split("\n\n")[0].split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _page(title: str, *paragraphs: str) -> str:
    return "\n\n".join([MARK, f"# {title}", *paragraphs]) + "\n"


def stale() -> list[Path]:
    """List the pages that are not what the code says."""
    return [
        path
        for name, text in pages().items()
        if not (path := FOLDER / name).exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write the pages, or look whether they are current."""
    parser = argparse.ArgumentParser(description="Write the reference pages from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    if parser.parse_args().check:
        if found := stale():
            names = ", ".join(path.name for path in found)
            sys.exit(f"Stale: {names}. Run `python docs/generate.py`.")
        return
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
