"""`stopgap doctor`: what is wrong with this set-up, and the fix for each."""

import sys
from dataclasses import asdict, fields
from typing import Any

import click

from stopgap import wiring
from stopgap.cli.diagnosis.diagnosis import Diagnosis, Weight
from stopgap.cli.diagnosis.examining import examine
from stopgap.cli.lines import json_option, print_json, printable
from stopgap.clock import SystemClock
from stopgap.errors import StopgapError
from stopgap.settings import PLATFORM_NAMES, PREFIX, Settings

MARKS = {Weight.FINE: "✓", Weight.WARNING: "!", Weight.WRONG: "✗"}


@click.command()
@click.option("--settings", "settings_only", is_flag=True, help="List every setting instead.")
@json_option
def doctor(*, settings_only: bool, as_json: bool) -> None:
    """Say what is wrong with this set-up, and how to fix it; nothing is changed.

    Exits with 1 if something keeps the server from running as it should.

    \b
    Examples:
      stopgap doctor
      stopgap doctor --settings
      STOPGAP_PROFILE=production stopgap doctor --json
    """
    if settings_only:
        _list_settings(as_json=as_json)
        return
    wrong = 0
    for diagnosis in _diagnoses():
        wrong += diagnosis.weight is Weight.WRONG
        _print_diagnosis(diagnosis, as_json=as_json)
    sys.exit(1 if wrong else 0)


def _diagnoses() -> list[Diagnosis]:
    try:
        settings = wiring.settings_of_environment()
    except StopgapError as error:
        fix = "`stopgap doctor --settings` lists them all."
        return [Diagnosis(what="settings", weight=Weight.WRONG, told=error.detail, fix=fix)]
    told = f"The {settings.profile} profile; every setting can be read."
    read = Diagnosis(what="settings", weight=Weight.FINE, told=told)
    return [read, *examine(settings, SystemClock())]


def _print_diagnosis(diagnosis: Diagnosis, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(diagnosis))
        return
    fix = f" -> {diagnosis.fix}" if diagnosis.fix else ""
    told = printable(f"{diagnosis.what}: {diagnosis.told}{fix}")
    click.echo(f"{MARKS[diagnosis.weight]} {diagnosis.weight:<7} {told}")


def _list_settings(*, as_json: bool) -> None:
    """List the whole table; also where a value in the environment cannot be read, which is told."""
    refusal: StopgapError | None = None
    current = None
    try:
        current = wiring.settings_of_environment()
    except StopgapError as error:
        refusal = error
    for row in _settings_rows(current):
        if as_json:
            print_json(row)
        else:
            _print_setting(row)
    if refusal is not None:
        raise refusal


def _settings_rows(current: Settings | None) -> list[dict[str, Any]]:
    production = current is not None and current.profile == "production"
    rows = []
    for each in fields(Settings):
        row = each.metadata
        value = None if current is None else getattr(current, each.name)
        rows.append(
            {
                "name": PREFIX + each.name.upper(),
                "also": PLATFORM_NAMES.get(each.name),
                "value": "(hidden)" if row["secret"] and value is not None else _plain(value),
                "default": _plain(row["production"] if production else each.default),
                "allowed": row["allowed"],
                "help": row["help"],
            }
        )
    return rows


def _plain(value: object) -> object:
    """Write a value as it is written in the environment."""
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, int) else str(value)


def _print_setting(row: dict[str, Any]) -> None:
    also = f" (also {row['also']})" if row["also"] else ""
    shown = {key: "-" if row[key] in (None, "") else row[key] for key in ("value", "default")}
    click.echo(f"{row['name']}{also} = {shown['value']}")
    click.echo(f"    {row['help']}")
    click.echo(f"    {row['allowed']}; default: {shown['default']}")
