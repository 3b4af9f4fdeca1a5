"""Lines: how commands print what they have found, for people or, with --json, for programs."""

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


def document_output() -> TextIO:
    """Give the standard output for a document: that is UTF-8, whatever the terminal's encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def print_json(value: object) -> None:
    """Print a value as one line of JSON; what JSON has no type for, as text."""
    click.echo(json.dumps(value, default=str))


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print a list: one object a line, or a table for people.

    Args:
        rows: All with the same keys, which are the table's headings.
        as_json: For programs.
        nothing: What people are told if the list is empty.
    """
    if as_json:
        for row in rows:
            print_json(row)
    elif not rows:
        click.echo(nothing)
    else:
        _print_table([list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)])


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print what is known of one thing for people: a line for each fact."""
    _print_table([[name, _shown(value)] for name, value in facts.items()])


def counted(count: int, noun: str) -> str:
    """Tell how many there are: `1 answer`, `2,000 answers`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "-" if value is None or value == "" else str(value)
    return printable(text)


def printable(text: str) -> str:
    """Make a text from outside fit for a terminal: one line that cannot move the cursor."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def _print_table(lines: Iterable[Sequence[str]]) -> None:
    kept = list(lines)
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    for line in kept:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
