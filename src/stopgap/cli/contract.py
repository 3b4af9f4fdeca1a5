"""`stopgap contract ...`: show a contract, compare two, and hold a live server against one."""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click

from stopgap import wiring
from stopgap.cli.lines import (
    counted,
    document_output,
    json_option,
    print_json,
    print_rows,
    printable,
)
from stopgap.contracts import kinds
from stopgap.contracts.compatibility import compare, moved
from stopgap.contracts.conformance.calling import Server
from stopgap.contracts.conformance.checking import (
    Result,
    Verdict,
    check,
    expect_asked,
    some_guest,
)
from stopgap.contracts.conformance.visiting import Visitor
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contract, load_contracts
from stopgap.contracts.values import quoted
from stopgap.web.reference import described

MARKS = {Result.HELD: "✓", Result.BROKEN: "✗", Result.NOT_CHECKED: "-"}

contract_option = click.option(
    "--contract",
    "places",
    multiple=True,
    metavar="MODULE:ATTRIBUTE",
    help="A contract, also as FILE.py:ATTRIBUTE; may be repeated.  "
    "[default: those of STOPGAP_CONTRACTS, else MadCompany's]",
)


@click.group()
def contract() -> None:
    """Show contracts, compare them, and check a live server against them.

    \b
    Examples:
      stopgap contract show
      stopgap contract diff old.py:contract new.py:contract
      stopgap contract check http://127.0.0.1:5000
    """


def _contracts(places: Sequence[str]) -> tuple[Contract, ...]:
    return load_contracts(places or wiring.settings_of_environment().contracts)


@contract.command()
@contract_option
@json_option
def show(places: Sequence[str], *, as_json: bool) -> None:
    """Show what a contract promises.

    \b
    Examples:
      stopgap contract show
      stopgap contract show --contract delivery.py:contract --json
    """
    for each in _contracts(places):
        if as_json:
            print_json(_facts(each))
        else:
            _print_summary(each)


def _facts(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.name,
        "version": contract.version,
        "fingerprint": contract.fingerprint,
        "path": contract.path,
        "prefix": contract.prefix,
        "description": contract.description,
        "inputs": [_field_facts(field) for field in contract.fields],
        "output": _kind_facts(contract.output_kind) | {"unit": contract.unit},
        "examples": [asdict(example) for example in contract.examples],
    }


def _field_facts(field: kinds.Field) -> dict[str, Any]:
    facts = {"name": field.name, "aliases": list(field.aliases), "required": field.required}
    if not field.required:
        facts["default"] = field.default
    return facts | _kind_facts(field.kind) | {"unit": field.unit, "description": field.description}


def _kind_facts(kind: kinds.Kind) -> dict[str, Any]:
    if isinstance(kind, kinds.Object):
        return {"kind": "record", "fields": [_field_facts(field) for field in kind.fields]}
    return {"kind": type(kind).__name__.lower(), "allowed": kind.allowed()}


def _print_summary(contract: Contract) -> None:
    click.echo(f"{contract.name} {contract.version} ({contract.fingerprint})")
    if contract.description:
        click.echo(f"  {contract.description}")
    click.echo(f"\n  GET  {contract.path}")
    if contract.path != contract.prefix:
        names = "&".join(f"{field.name}=" for field in contract.fields)
        click.echo(f"  GET  {contract.prefix}?{names}")
    click.echo(f"  POST {contract.prefix}  (JSON or a form)\n")
    for field in contract.fields:
        _print_field(field)
    kind = contract.output_kind
    told = kind.allowed() if not isinstance(kind, kinds.Object) else "an object"
    click.echo(f"  -> {told}{f', in {contract.unit}' if contract.unit else ''}")
    for field in kind.fields if isinstance(kind, kinds.Object) else ():
        _print_field(field, indent="     ")
    click.echo()


def _print_field(field: kinds.Field, indent: str = "  ") -> None:
    also = f" (also {', '.join(field.aliases)})" if field.aliases else ""
    unit = f", in {field.unit}" if field.unit else ""
    left_out = "" if field.required else f"; {quoted(field.default)} if left out"
    click.echo(f"{indent}{field.name}{also}: {field.kind.allowed()}{unit}{left_out}")


@contract.command()
@contract_option
def openapi(places: Sequence[str]) -> None:
    """Print the OpenAPI 3.1 document of a server of these contracts, with this set-up's settings.

    \b
    Examples:
      stopgap contract openapi > openapi.json
      stopgap contract openapi --contract delivery.py:contract
    """
    whole = described(_contracts(places), wiring.settings_of_environment())
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False), file=document_output())


@contract.command()
@click.argument("old")
@click.argument("new")
@json_option
def diff(old: str, new: str, *, as_json: bool) -> None:
    """List what changes for a client of OLD when NEW is served; exit with 1 if it breaks.

    Both are named as MODULE:ATTRIBUTE or FILE.py:ATTRIBUTE.

    \b
    Examples:
      stopgap contract diff old.py:contract new.py:contract
      stopgap contract diff madcompany_v1.py:contract stopgap.contracts.madcompany:contract --json
    """
    before, after = load_contract(old), load_contract(new)
    differences = compare(before, after)
    breaking = sum(difference.breaking for difference in differences)
    rows = [
        {
            "change": each.code,
            "breaking": each.breaking,
            "where": each.where,
            "message": each.message,
        }
        for each in differences
    ]
    print_rows(rows, as_json=as_json, nothing="No client would notice a change.")
    if not as_json and differences:
        click.echo(f"\n{counted(len(differences), 'change')}, {breaking} of them breaking.")
    if not as_json and before.name != after.name:
        click.echo(
            f"Its name changes, from {before.name} to {after.name}: releases stay with the old "
            "name, and the stand-in answers until one is added and promoted under the new. "
            "Functions of generated clients are named anew."
        )
    if not as_json and before.fingerprint != after.fingerprint:
        click.echo(
            f"Its fingerprint changes, from {before.fingerprint} to {after.fingerprint}: releases "
            "have to be verified for the new contract before they answer for it."
        )
    if not as_json and before.examples_fingerprint != after.examples_fingerprint:
        click.echo(
            "Its golden examples change: releases have to be verified again before they are "
            "promoted. Those that answer go on."
        )
    if not as_json and (lists := [*moved(before, after)]):
        click.echo(
            f"Other places than before, in: {', '.join(lists)}. A model that is fed or read by "
            "position (one matrix, a choice as its index) has to be made anew; verification may "
            "not notice."
        )
    sys.exit(1 if breaking else 0)


@contract.command("check")
@click.argument("url")
@contract_option
@click.option("--username", help="An account's name, for a server without guests.")
@click.option("--password", help="Its password; asked for if it is not given.")
@click.option(
    "--predictions",
    type=click.IntRange(1, 100_000),
    default=300,
    show_default=True,
    help="Predictions asked of each contract.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=10.0,
    show_default=True,
    help="Seconds in which an answer must be there.",
)
@json_option
def check_server(
    url: str,
    *,
    places: Sequence[str],
    username: str | None,
    password: str | None,
    predictions: int,
    timeout: float,
    as_json: bool,
) -> None:
    """Check the live server at URL against contracts, as a client would.

    Prints a line for each rule. Exits with 1 if one is broken; else with 77 if a contract's
    predictions could not all be asked, as the server wants an account for them, or limits them for
    longer than a minute; for less, it waits. Uploaded images are
    deleted again, and an account's sessions ended.

    \b
    Examples:
      stopgap contract check http://127.0.0.1:5000
      stopgap contract check https://api.example.com --username ann
      stopgap contract check http://127.0.0.1:5000 --contract delivery.py:contract --json
    """
    contracts = _contracts(places)
    visitor = some_guest()
    if username is not None:
        password = password or click.prompt("Password", hide_input=True, err=True)
        visitor = Visitor(username=username, password=password, account=True)
    verdicts = list[Verdict]()
    with _progress() as progress:
        for verdict in check(
            contracts,
            Server(url, seconds=timeout),
            visitor,
            source=random.SystemRandom(),
            predictions=predictions,
            progress=progress,
            pause=_pause,
        ):
            verdicts.append(verdict)
            _print_verdict(verdict, as_json=as_json)
    counts = Counter(verdict.outcome for verdict in verdicts)
    if not as_json:
        told = [f"{counts[outcome]} {outcome}" for outcome in Result if counts[outcome]]
        click.echo(f"{counts.total()} rules: {', '.join(told)}.")
    if counts[Result.BROKEN]:
        sys.exit(1)
    expect_asked(contracts, verdicts)


def _print_verdict(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print_json({key: value for key, value in asdict(verdict).items() if value is not None})
        return
    click.echo(f"{MARKS[verdict.outcome]} {verdict.outcome:<11} {verdict.rule}: {verdict.sentence}")
    told = {
        "asked": verdict.request,
        "expected": verdict.expected,
        "came": verdict.came,
        "because": verdict.reason,
    }
    for word, text in told.items():
        if text is not None:
            click.echo(f"              {word} {printable(text)}")


def _pause(seconds: float) -> None:
    """Wait, and tell a person who looks why nothing moves."""
    if sys.stderr.isatty():
        click.echo(f"waiting {seconds:g} s for a limit\r", nl=False, err=True)
    time.sleep(seconds)


PROGRESS_EVERY = 50


@contextmanager
def _progress() -> Iterator[Any]:
    """Tell a person who looks how far the predictions are."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return

    def tell(done: int, of: int) -> None:
        if done % PROGRESS_EVERY == 0:
            # The next line covers it.
            click.echo(f"{done} of {of} predictions\r", nl=False, err=True)

    yield tell
