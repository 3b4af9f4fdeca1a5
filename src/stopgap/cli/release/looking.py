"""Looking: `stopgap release list`, `show` and `history`."""

import click

from stopgap.cli.installation import opened
from stopgap.cli.lines import json_option, print_json, print_rows
from stopgap.cli.release.lines import (
    comparisons,
    facts,
    move_facts,
    move_row,
    print_release,
    row,
    warn_of_trouble,
)
from stopgap.cli.release.options import any_number, contract_of, contract_option


@click.command("list")
@contract_option
@json_option
def list_releases(chosen: str | None, *, as_json: bool) -> None:
    """List a contract's releases, the newest first.

    \b
    Examples:
      stopgap release list
      stopgap release list --contract madcompany --json
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        found = parts.releases.list(contract)
        warn_of_trouble(parts, contract, found)
    rows = [each.document() if as_json else row(each) for each in found]
    print_rows(rows, as_json=as_json, nothing="There are no releases.")


@click.command()
@click.argument("number", metavar="N", type=any_number)
@contract_option
@json_option
def show(number: int, chosen: str | None, *, as_json: bool) -> None:
    """Show release N: its model, its report, its history, and how it does.

    \b
    Examples:
      stopgap release show 3
      stopgap release show 3 --json
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        warn_of_trouble(parts, contract, [parts.releases.show(contract, number)])
        compared = comparisons(parts, contract, number)
        found = facts(parts, contract, number, compared)
    if as_json:
        print_json(found)
    else:
        print_release(found, compared)


@click.command()
@click.argument("number", metavar="[N]", type=any_number, required=False)
@contract_option
@json_option
def history(number: int | None, chosen: str | None, *, as_json: bool) -> None:
    """List who did what to release N, or to all releases, and when; the latest first.

    \b
    Examples:
      stopgap release history
      stopgap release history 3 --json
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        if number is not None:
            parts.releases.show(contract, number)  # there is one of this number
        found = parts.releases.moves(contract, number)
    told = move_facts if as_json else move_row
    print_rows([told(each) for each in found], as_json=as_json, nothing="Nothing was done yet.")
