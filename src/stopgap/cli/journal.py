"""`stopgap journal ...`: what has been answered."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click

from stopgap.cli.exit_codes import exit_code_of
from stopgap.cli.installation import opened_to_look_back
from stopgap.cli.journal_filters import (
    Wanted,
    filter_options,
    time_options,
)
from stopgap.cli.lines import (
    counted,
    document_output,
    json_option,
    print_facts,
    print_json,
    print_rows,
    printable,
)
from stopgap.journal.actual import OutcomeInvalid, read_actual
from stopgap.journal.entry import Entry
from stopgap.journal.export import write
from stopgap.journal.journal import JournalRowNotFound
from stopgap.parts import Parts


@click.group()
def journal() -> None:
    """Look up, count and export every answer that was given.

    It has every answer given until now: those that are still in the spool are awaited for two
    seconds or, where no server runs, moved by the command itself.

    \b
    Examples:
      stopgap journal list --since 1h
      stopgap journal show 01890a5d-ac96-774b-bcce-b302099a8057
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
@click.argument("answer_id", metavar="ID")
@json_option
def show(answer_id: str, *, as_json: bool) -> None:
    """Show answer ID, its X-Request-Id: who asked what, and what the answer was.

    \b
    Examples:
      stopgap journal show 01890a5d-ac96-774b-bcce-b302099a8057
      stopgap journal show 01890a5d-ac96-774b-bcce-b302099a8057 --json
    """
    with opened_to_look_back() as parts:
        entry = parts.journal.find(answer_id)
        caller = entry.record.caller
        names = parts.accounts.names([caller] if caller else [])
    if as_json:
        print_json(entry.facts())
        return
    row = _row(entry)
    facts = {
        **row,
        "account": names.get(caller or ""),
        "caller": caller,
        "microseconds": entry.record.micros,
        "fingerprint": entry.record.fingerprint,
    }
    print_facts(facts)


@journal.command()
@time_options
@json_option
def stats(*, as_json: bool, **asked: Any) -> None:
    """Sum up the answers of each release: how many, and in how many microseconds (to 3%).

    The time is taken in whole hours, or in whole days where it is longer than three or begins
    before the oldest answers that are kept.

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
            fields = answers.fields(wanted.contract)
            write("jsonl" if as_json else "csv", entries, fields, document_output())


@journal.command(context_settings={"ignore_unknown_options": True})
@click.argument("answer_id", metavar="ID")
@click.argument("value", required=False)
def actual(answer_id: str, value: str | None) -> None:
    """Report what came true of answer ID, its X-Request-Id; the last report counts.

    VALUE has the type that the contract promises. Where that is an object it is JSON, with those
    of its fields that are known. It may lie outside of the promised range: it is what happened.

    With - in their place, lines of standard input are read, each with an ID, a space and a VALUE.
    The number of a line that cannot be kept is told, and the others are kept; the exit code is
    then that of the worst.

    \b
    Examples:
      stopgap journal actual 01890a5d-ac96-774b-bcce-b302099a8057 3120
      stopgap journal actual 01890a5d-ac96-774b-bcce-b302099a8057 '{"days":2.5,"carrier":"north"}'
      stopgap journal actual - < actuals.txt
    """
    if value is None and answer_id != "-":
        raise click.UsageError("Missing argument 'VALUE'.")
    with opened_to_look_back() as parts:
        if value is None:
            sys.exit(_keep_lines(parts, sys.stdin.buffer))
        _keep(parts, answer_id, value)
    click.echo(f"Kept {value} for {answer_id}.")


def _keep_lines(parts: Parts, lines: Iterable[bytes]) -> int:
    """Keep what each line tells; give the exit code of the worst."""
    worst = kept = 0
    for number, line in enumerate(lines, 1):
        answer_id, _, value = line.decode(errors="replace").strip().partition(" ")
        if not answer_id:
            continue
        try:
            _keep(parts, answer_id, value)
        except JournalRowNotFound as error:
            code, told = exit_code_of(type(error)), error.detail
        except click.UsageError as error:
            code, told = error.exit_code, error.format_message()
        else:
            kept += 1
            continue
        worst = max(worst, code)
        click.echo(f"Line {number}: {printable(told)}", err=True)
    click.echo(f"Kept {counted(kept, 'value')}.")
    return worst


def _keep(parts: Parts, answer_id: str, value: str) -> None:
    answers = parts.journal
    record = answers.find(answer_id).record
    contract = parts.contract(record.contract)
    if contract is None:
        told = f"Its contract, {record.contract}, is not served here; see STOPGAP_CONTRACTS."
        raise click.UsageError(told)
    try:
        actual = read_actual(contract.output_kind, value)
    except OutcomeInvalid as error:
        raise click.BadParameter(error.detail, param_hint="VALUE") from error
    answers.report_actual(answer_id, actual)
