"""`stopgap release replay`: what was asked before, asked of another model."""

import asyncio
import json
from itertools import islice

import click

from stopgap.cli.installation import models_ended, opened
from stopgap.cli.lines import json_option, print_json
from stopgap.cli.release.lines import counting, print_replay, replay_facts
from stopgap.cli.release.options import contract_of, contract_option, real_number, real_release
from stopgap.journal.filters import Filters
from stopgap.releases.release import STAND_IN
from stopgap.releases.replay import Recorded


@click.command()
@click.argument("number", metavar="N", type=real_number)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1_000,
    show_default=True,
    help="Requests at most, the latest first.",
)
@click.option("--answered-by", metavar="NAME", help="Only what this release answered.")
@contract_option
@json_option
def replay(
    number: int, limit: int, answered_by: str | None, chosen: str | None, *, as_json: bool
) -> None:
    """Send release N the journal's requests, and compare its answers with those given.

    \b
    Examples:
      stopgap release replay 3
      stopgap release replay 3 --limit 100000 --answered-by 2 --json
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        found = real_release(parts, contract, number)
        known = {name for of, name in parts.journal.releases() if of == contract}
        if answered_by is not None and answered_by not in known:
            names = ", ".join(sorted(known)) or "nobody yet"
            raise click.UsageError(f"{answered_by} has answered nothing; who has: {names}.")
        entries = parts.journal.export(Filters(contract=contract, release=answered_by))
        records = (
            Recorded(
                inputs=each.record.inputs,
                output=json.loads(each.record.output),
                drawn=each.record.release == STAND_IN,
                actual=None if each.actual is None else json.loads(each.actual),
            )
            for each in islice(entries, limit)
        )
        with models_ended(), counting("Replaying") as tell:
            told = asyncio.run(
                parts.trial.replay(found, records, progress=lambda done: tell(done, limit))
            )
    if as_json:
        print_json(replay_facts(told))
    else:
        print_replay(told, limit)
