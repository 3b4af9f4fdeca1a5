"""`stopgap journal ...`: what has been answered."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

import click

from stopgap.cli.installation import opened_to_look_back
from stopgap.cli.journal_filters import (
    Wanted,
    filter_options,
    time_options,
)
from stopgap.cli.lines import json_option, print_rows
from stopgap.contracts import kinds
from stopgap.contracts.values import OutOfBounds, Unreadable, breach, read_text
from stopgap.journal.entry import Entry
from stopgap.journal.journal import Journal

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""

KEPT = ("request_id", "at", "contract", "fingerprint", "release", "caller", "micros")
"""What the journal knows of every answer, besides inputs and output."""


@click.group()
def journal() -> None:
    """Look up, count and export every answer that was given.

    What was answered until now is in it: answers that still wait in the spool are awaited for two
    seconds or, where no server runs, moved by the command itself.

    \b
    Examples:
      stopgap journal list --since 1h
      stopgap journal stats --json
      stopgap journal export --json > answers.jsonl
    """


@journal.command("list")
@filter_options
@click.option("--before", metavar="ID", help="Only answers from before the one with this id.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many."
)
@json_option
def list_answers(before: str | None, limit: int, *, as_json: bool, **asked: Any) -> None:
    """List answers, the newest first; ID is the X-Request-Id that came with each.

    \b
    Examples:
      stopgap journal list --where month=may --answer 3000..3500
      stopgap journal list --account ann --since 7d --json
      stopgap journal list --before 01890a5d-ac96-774b-bcce-b302099a8057
    """
    with opened_to_look_back() as parts:
        answers = parts.journal
        position = None if before is None else answers.find(before).position
        filters = Wanted(**asked).filters(parts)
        entries = answers.page(filters, before=position, limit=limit)
    rows = [entry.facts() if as_json else _row(entry) for entry in entries]
    print_rows(rows, as_json=as_json, nothing="There are no such answers.")


def _row(entry: Entry) -> dict[str, Any]:
    record = entry.record
    return {
        "at": entry.at.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00"),
        "id": record.id,
        "contract": record.contract,
        "release": record.release,
        "inputs": record.inputs.decode(errors="replace"),
        "answer": record.output.decode(errors="replace"),
        "actual": None if entry.actual is None else entry.actual.decode(),
    }


@journal.command()
@time_options
@json_option
def stats(*, as_json: bool, **asked: Any) -> None:
    """Sum up the answers of each release: how many, and in how many microseconds (to 3%).

    The time is taken in whole hours, or in whole days where it is longer than three.

    \b
    Examples:
      stopgap journal stats
      stopgap journal stats --contract madcompany --since 7d --json
    """
    with opened_to_look_back() as parts:
        answers = parts.journal
        rows = [asdict(each) for each in answers.stats(Wanted(**asked).filters(parts))]
    print_rows(rows, as_json=as_json, nothing="There are no such answers.")


@journal.command()
@filter_options
@json_option
def export(*, as_json: bool, **asked: Any) -> None:
    """Print all answers, the newest first, as CSV or, with --json, one object a line.

    In the CSV, a text that a spreadsheet would take for a formula has a ' before it.

    \b
    Examples:
      stopgap journal export --since 30d > answers.csv
      stopgap journal export --contract madcompany --json | head
    """
    wanted = Wanted(**asked)
    with opened_to_look_back() as parts:
        answers = parts.journal
        chosen = answers.export(wanted.filters(parts))
        with click.progressbar(
            chosen,
            file=sys.stderr,
            label="Exporting",
            show_pos=True,
            update_min_steps=1_000,
            hidden=sys.stdout.isatty() or not sys.stderr.isatty(),
        ) as entries:
            if as_json:
                _write_json(entries)
            else:
                _write_csv(entries, answers, wanted.contract)


def _write_json(entries: Iterable[Entry]) -> None:
    for entry in entries:
        sys.stdout.write(json.dumps(entry.facts()) + "\n")


def _write_csv(entries: Iterable[Entry], answers: Journal, contract: str | None) -> None:
    fields = answers.fields(contract)
    names = [f"{part}.{name}" if name else part for part, name in fields]
    writer = csv.writer(sys.stdout)
    writer.writerow([*KEPT, *names, "actual"])
    for entry in entries:
        facts = entry.facts()
        writer.writerow(map(_cell, _cells(facts, fields)))


def _cells(facts: dict[str, Any], fields: Iterable[tuple[str, str]]) -> Iterator[object]:
    yield from (facts[name] for name in KEPT)
    values = {"input": facts["inputs"], "output": facts["output"]}
    for part, name in fields:
        value = values[part]
        whole = not isinstance(value, dict)
        yield value if whole and not name else None if whole else value.get(name)
    yield facts["actual"]


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return value if value is None or type(value) in {int, float} else json.dumps(value)


@journal.command(context_settings={"ignore_unknown_options": True})
@click.argument("answer_id", metavar="ID")
@click.argument("value")
def actual(answer_id: str, value: str) -> None:
    """Tell what really came of an answer; ID is its X-Request-Id, and the last report counts.

    VALUE is of the type that the contract promises, JSON where that is an object. It may well lie
    outside of the promised range: it is what happened.

    \b
    Examples:
      stopgap journal actual 01890a5d-ac96-774b-bcce-b302099a8057 3120
      stopgap journal actual 01890a5d-ac96-774b-bcce-b302099a8057 '{"days":2.5,"carrier":"north"}'
    """
    with opened_to_look_back() as parts:
        answers = parts.journal
        record = answers.find(answer_id).record
        served = {each.name: each.output_kind for each in parts.contracts}
        if record.contract not in served:
            told = f"Its contract, {record.contract}, is not served here; see STOPGAP_CONTRACTS."
            raise click.UsageError(told)
        answers.report_actual(answer_id, _outcome(served[record.contract], value))
    click.echo(f"Kept {value} for {answer_id}.")


def _outcome(kind: kinds.Kind, text: str) -> object:
    """Read what happened: of the promised type, in whatever range."""
    if isinstance(kind, kinds.Record):
        fields = (replace(each, kind=_unbounded(each.kind)) for each in kind.fields)
        return _object(replace(kind, fields=tuple(fields)), text)
    try:
        value: object = read_text(_unbounded(kind), text)
    except (Unreadable, OutOfBounds) as error:
        told = f"{text!r} is not {_unbounded(kind).allowed()}."
        raise click.BadParameter(told, param_hint="VALUE") from error
    return value


def _object(kind: kinds.Record, text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no JSON.", param_hint="VALUE") from error
    if broken := breach(kind, value):
        raise click.BadParameter(f"{broken}.", param_hint="VALUE")
    return value


def _unbounded(kind: kinds.Scalar) -> kinds.Scalar:
    match kind:
        case kinds.Integer():
            return kinds.Integer(low=-kinds.INTEGER_MAX)
        case kinds.Number():
            return kinds.Number()
    return kind
