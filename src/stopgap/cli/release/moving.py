"""Moving: `stopgap release promote`, `rollback`, `withdraw`, `retire`, `override`, `fallback`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from stopgap.cli.installation import opened
from stopgap.cli.lines import json_option
from stopgap.cli.release.lines import print_changes
from stopgap.cli.release.options import (
    any_number,
    contract_of,
    contract_option,
    me,
    real_number,
    reason_option,
    yes_option,
)
from stopgap.parts import Parts
from stopgap.releases.gate import ReleaseSentBack, ReleaseUnverified
from stopgap.releases.release import Stage, Sticky
from stopgap.releases.releases import Releases
from stopgap.releases.stages import Change


@click.command()
@click.argument("number", metavar="N", type=any_number)
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
    model; until then whoever answered before goes on, and no request fails. A worker that
    cannot load it asks whoever helps out for a failed model, or answers 503.

    With --yes, a canary that the server has sent back is refused, unless --reason says why not.

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
    if percent is None and sticky is not None:
        raise click.UsageError("Only a canary has a share of the requests: --sticky and --percent.")
    stage: Stage = "shadow" if shadow else "live" if percent is None else "canary"
    with opened() as parts:
        contract = contract_of(parts, chosen)
        releases = _as_asked(parts, contract, yes=yes and bool(reason))
        with _pointing_at_the_report(number):
            if yes and not reason:
                _check_not_sent_back(releases, contract, number)
            planned = releases.planned(
                contract, number, stage=stage, percent=percent, sticky=sticky
            )
            _ask(planned, yes=yes)
            done = releases.promote(
                contract, number, me(), stage=stage, percent=percent, sticky=sticky, reason=reason
            )
    print_changes(done, as_json=as_json, quiet=not yes)
    if number and not as_json:
        click.echo("That is so as soon as the workers have loaded it.")


@contextmanager
def _pointing_at_the_report(number: int) -> Iterator[None]:
    """Tell where a release that may have no traffic has its report, and what can be done."""
    try:
        yield
    except ReleaseUnverified as error:
        error.add_note(f"`stopgap release show {number}` has the report.")
        error.add_note("`stopgap release verify` and `override` can change that; --help tells how.")
        raise


def _as_asked(parts: Parts, contract: str, *, yes: bool) -> Releases:
    """Give the releases to whoever is asked, and answers by how they stand at this moment."""
    if yes:
        return parts.releases
    return parts.releases.as_seen(parts.releases.routing(contract).version)


def _check_not_sent_back(releases: Releases, contract: str, number: int) -> None:
    """Stop a script that goes on with what was a canary when it last looked.

    Raises:
        ReleaseSentBack: nothing was done to the release since the server has sent it back.
    """
    last = next(iter(releases.moves(contract, number)), None)
    if last and last.action == "sent back":
        error = ReleaseSentBack(number, last.reason)
        error.add_note("With --reason, which is kept, it is promoted all the same.")
        raise error


def _ask(planned: Sequence[Change], *, yes: bool, question: str = "Do that?") -> None:
    if not yes:
        for each in planned:
            click.echo(each.words(), err=True)
        click.confirm(question, abort=True, err=True)


@click.command()
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
        done = parts.releases.rollback(contract_of(parts, chosen), me(), reason)
    print_changes(done, as_json=as_json)


@click.command()
@click.argument("number", metavar="N", type=real_number)
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
        done = parts.releases.withdraw(contract_of(parts, chosen), number, me(), reason)
    print_changes(done, as_json=as_json)


@click.command()
@click.argument("number", metavar="N", type=real_number)
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
        put_away = f"Put release {number} away for good? Its model's file will not be kept."
        _ask(releases.planned(contract, number, stage="retired"), yes=yes, question=put_away)
        done = releases.retire(contract, number, me(), reason)
    print_changes(done, as_json=as_json)


@click.command()
@click.argument("number", metavar="N", type=real_number)
@click.argument("rule")
@click.option("--reason", required=True, help="Why that is all right; kept with the release.")
@contract_option
def override(number: int, rule: str, reason: str, chosen: str | None) -> None:
    """Let release N have traffic although RULE did not hold, or was not checked.

    Who did so and why is kept. It holds until the next verification. `loads` and
    `survives` cannot be overridden.

    \b
    Example:
      stopgap release override 3 repeats --reason "it samples, on purpose"
    """
    with opened() as parts:
        report = parts.releases.override(contract_of(parts, chosen), number, rule, me(), reason)
    click.echo(report.in_spite_of(number, rule))


@click.command()
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
        parts.releases.allow_stand_in(contract, me(), allowed=allowed, reason=reason)
    told = "The stand-in answers" if allowed else "Nobody answers"
    click.echo(f"{told} when no real model can.")
