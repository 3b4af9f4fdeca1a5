"""`stopgap release ...`: which model answers whom."""

import asyncio
import getpass
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from stopgap.cli.installation import opened
from stopgap.cli.lines import json_option, print_json, print_rows
from stopgap.cli.model_options import ModelOptions, model_options
from stopgap.cli.release_lines import (
    comparisons,
    counting,
    facts,
    move_facts,
    move_row,
    print_changes,
    print_release,
    print_report,
    row,
    warn_of_unfit,
)
from stopgap.cli.release_options import contract_of, contract_option, real_release
from stopgap.cli.replay import replay
from stopgap.clock import SystemClock
from stopgap.releases.release import Stage, Sticky
from stopgap.releases.releases import Releases
from stopgap.releases.verification.report import Report
from stopgap.web.parts import Parts

reason_option = click.option("--reason", default="", help="Why; kept with what was done.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask whether that is what you want.")


@click.group()
def release() -> None:
    """Verify models, and decide which of them answers the clients.

    A release is one model on one contract, with a number. It is added as a candidate; as a shadow
    it gets copies of the traffic, as a canary a share of it, and as the live release all of it.

    \b
    Examples:
      stopgap release add python:shop/model.py:model
      stopgap release promote 1 --percent 10
      stopgap release promote 1
      stopgap release rollback
    """
    logging.getLogger("stopgap").addHandler(logging.NullHandler())  # what is wrong is reported


release.add_command(replay)


def _me() -> str:
    """Tell who does this: the user of this machine."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"


@release.command("list")
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
        warn_of_unfit(parts, contract, found)
    rows = [each.document() if as_json else row(each) for each in found]
    print_rows(rows, as_json=as_json, nothing="There are no releases.")


@release.command()
@click.argument("model", metavar="URI|N")
@model_options
@contract_option
@json_option
def verify(model: str, chosen: str | None, *, as_json: bool, **options: Any) -> None:
    """Verify the model at URI, or release N again, against the contract; exit with 1 if it fails.

    Nothing is kept of a URI. Of a release the report is kept, and what was overridden before has to
    be overridden again.

    \b
    Examples:
      stopgap release verify python:shop/model.py:model
      stopgap release verify onnx:model.onnx --bring round --deadline 0.2
      stopgap release verify 3 --json
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        if model.isdecimal():
            found = real_release(parts, contract, int(model))
            _refuse_how(found.number)
            report = _trial(parts, contract, found.specification, options)
            parts.releases.verified(contract, found.number, report, _me())
        else:
            specification = ModelOptions(**options).specification(model)
            report = _trial(parts, contract, specification, options)
    print_report(report, as_json=as_json)
    sys.exit(0 if report.passed else 1)


@release.command()
@click.argument("uri")
@model_options
@click.option("--note", default="", help="What is new in it; kept with the release.")
@contract_option
@json_option
def add(uri: str, note: str, chosen: str | None, *, as_json: bool, **options: Any) -> None:
    """Add the model at URI as a release, verify it, and keep the report; exit with 1 if it fails.

    A model that cannot be loaded is not added. One that breaks a rule is, but gets no traffic.

    \b
    Examples:
      stopgap release add python:shop/model.py:model
      stopgap release add onnx:model.onnx --bring round --note "trained in May"
      stopgap release add sklearn:model.skops --deadline 0.2 --memory 512
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        specification = parts.trial.keep(ModelOptions(**options).specification(uri))
        report = _trial(parts, contract, specification, options)
        added = parts.releases.add(contract, specification, _me(), note)
        parts.releases.verified(contract, added.number, report, _me())
    several = f" --contract {contract}" if len(parts.contracts) > 1 else ""
    print_report(report, as_json=as_json, number=added.number, at=several)
    sys.exit(0 if report.passed else 1)


def _refuse_how(number: int) -> None:
    """Refuse to be told how a release is run, which it has been added with.

    Raises:
        UsageError: something of that was given.
    """
    context = click.get_current_context()
    for name in ("bring", "deadline", "memory", "batch", "python", "in_process"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"Release {number} keeps its own {option}; add it anew with it.")


def _trial(parts: Parts, contract: str, specification: Any, options: dict[str, Any]) -> Report:
    kept = specification if specification.artifact else parts.trial.keep(specification)
    kept = replace(kept, file_hash=None)  # it is verified as it is now
    bounds = {key: options[key] for key in ("samples", "seconds") if key in options}
    with counting("Verifying") as tell:
        report = parts.trial.verify(contract, kept, clock=SystemClock(), progress=tell, **bounds)
        return asyncio.run(report)


@release.command()
@click.argument("number", metavar="N", type=click.IntRange(min=0))
@click.option(
    "--percent",
    type=click.FloatRange(0, 100, min_open=True, max_open=True),
    help="As a canary: answers this share of the requests, judged all the while.",
)
@click.option(
    "--shadow", is_flag=True, help="As a shadow: gets copies; no client sees its answers."
)
@click.option(
    "--sticky",
    type=click.Choice(["caller", "inputs"]),
    help="What a canary's share is of: callers, or inputs.  [default: as before, else caller]",
)
@reason_option
@yes_option
@contract_option
@json_option
def promote(
    number: int,
    percent: float | None,
    sticky: Sticky | None,
    reason: str,
    chosen: str | None,
    *,
    shadow: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make release N live; or a canary with --percent, or a shadow with --shadow. 0: the stand-in.

    Says what will happen to which release, and asks. Each worker follows once it has loaded the
    model; until then whoever answered before goes on, and no request fails.

    \b
    Examples:
      stopgap release promote 3 --shadow
      stopgap release promote 3 --percent 10
      stopgap release promote 3 --yes --reason "agrees with release 2 to 99%"
    """
    if shadow and percent is not None:
        raise click.UsageError("A shadow answers no share of the requests: --shadow or --percent.")
    if shadow and sticky is not None:
        raise click.UsageError("A shadow has no share of the requests: --shadow or --sticky.")
    stage: Stage = "shadow" if shadow else "live" if percent is None else "canary"
    with opened() as parts:
        contract = contract_of(parts, chosen)
        releases = _as_asked(parts, contract, yes=yes)
        planned = releases.planned(contract, number, stage=stage, percent=percent)
        _ask(planned, yes=yes)
        done = releases.promote(
            contract, number, _me(), stage=stage, percent=percent, sticky=sticky, reason=reason
        )
    print_changes(done, as_json=as_json, quiet=not yes)
    if number and not as_json:
        click.echo("That is so as soon as the workers have loaded it, within seconds.")


def _as_asked(parts: Parts, contract: str, *, yes: bool) -> Releases:
    """Give the releases to whoever is asked, and answers by how they stand at this moment."""
    if yes:
        return parts.releases
    return parts.releases.as_seen(parts.releases.routing(contract).version)


def _ask(planned: Sequence[Any], *, yes: bool) -> None:
    if not yes:
        for each in planned:
            click.echo(each.words(), err=True)
        click.confirm("Do that?", abort=True, err=True)


@release.command()
@reason_option
@contract_option
@json_option
def rollback(reason: str, chosen: str | None, *, as_json: bool) -> None:
    """Make the release live that was live before; again, the one before that.

    It does not ask: whoever needs it is in a hurry, and `promote` undoes it. A canary goes back to
    candidate with it. The last step is the stand-in.

    \b
    Examples:
      stopgap release rollback
      stopgap release rollback --reason "May is off by a thousand"
    """
    with opened() as parts:
        done = parts.releases.rollback(contract_of(parts, chosen), _me(), reason)
    print_changes(done, as_json=as_json)


@release.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@reason_option
@contract_option
@json_option
def withdraw(number: int, reason: str, chosen: str | None, *, as_json: bool) -> None:
    """Withdraw the shadow or canary N from traffic; it is a candidate again.

    \b
    Example:
      stopgap release withdraw 3 --reason "seen enough"
    """
    with opened() as parts:
        done = parts.releases.withdraw(contract_of(parts, chosen), number, _me(), reason)
    print_changes(done, as_json=as_json)


@release.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@reason_option
@yes_option
@contract_option
@json_option
def retire(number: int, reason: str, chosen: str | None, *, yes: bool, as_json: bool) -> None:
    """Put release N away for good: it cannot go live again, and its model's file is not kept.

    What it answered, and what was done to it, stays on record.

    \b
    Examples:
      stopgap release retire 2
      stopgap release retire 2 --yes
    """
    with opened() as parts:
        contract = contract_of(parts, chosen)
        releases = _as_asked(parts, contract, yes=yes)
        releases.planned(contract, number, stage="retired")  # it can be
        if not yes:
            put_away = f"Put release {number} away for good? Its model's file will not be kept."
            click.confirm(put_away, abort=True, err=True)
        done = releases.retire(contract, number, _me(), reason)
    print_changes(done, as_json=as_json)


@release.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.argument("rule")
@click.option("--reason", required=True, help="Why that is all right; kept with the release.")
@contract_option
def override(number: int, rule: str, reason: str, chosen: str | None) -> None:
    """Let release N have traffic although it broke RULE.

    Who did so and why is kept. It holds until the next verification. `loads` and
    `survives` cannot be overridden.

    \b
    Example:
      stopgap release override 3 repeats --reason "it samples, on purpose"
    """
    with opened() as parts:
        parts.releases.override(contract_of(parts, chosen), number, rule, _me(), reason)
    click.echo(f"Release {number} may have traffic although it broke the rule {rule}.")


@release.command()
@click.argument("number", metavar="N", type=click.IntRange(min=0))
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
        warn_of_unfit(parts, contract, [parts.releases.show(contract, number)])
        found = facts(parts, contract, number)
        compared = comparisons(parts, contract, number)
    if as_json:
        print_json(found)
    else:
        print_release(found, compared)


@release.command()
@click.argument("number", metavar="[N]", type=click.IntRange(min=0), required=False)
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


@release.command()
@click.argument("answerer", metavar="WHO", type=click.Choice(["stand-in", "nobody"]))
@reason_option
@contract_option
def fallback(answerer: str, reason: str, chosen: str | None) -> None:
    """Say WHO answers when the live release and the one before it cannot: stand-in, or nobody.

    With nobody, the default, clients get a 503. The
    stand-in's answers are drawn, not predicted.

    \b
    Examples:
      stopgap release fallback stand-in --reason "this is a demo"
      stopgap release fallback nobody
    """
    with opened() as parts:
        allowed = answerer == "stand-in"
        contract = contract_of(parts, chosen)
        parts.releases.allow_stand_in(contract, _me(), allowed=allowed, reason=reason)
    told = "The stand-in answers" if allowed else "Nobody answers"
    click.echo(f"{told} when no real model can.")
