"""Lines about releases: how commands show what they found of one."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click

from stopgap.cli.lines import counted, print_json, print_rows, printable
from stopgap.clock import SystemClock
from stopgap.parts import Parts
from stopgap.releases.accuracy import ENOUGH, Errors
from stopgap.releases.comparing import EDGES, Comparison, Spread, percent, rounded
from stopgap.releases.move import Move
from stopgap.releases.release import STAND_IN, WHOSE, Release, name_of
from stopgap.releases.replay import Replay
from stopgap.releases.stages import Change
from stopgap.releases.trouble import ailing
from stopgap.releases.verification.report import BY_NAME, Finding, Report

MARKS = {"held": "✓", "broken": "✗", "not checked": "-"}
BAR_WIDTH = 40
SHOWN = 5
"""Differences and moves that people are shown; --json has all."""

DRAWN = "It draws its answers, so a difference from them says nothing."


def row(release: Release) -> dict[str, Any]:
    """Show a release as a line of a table."""
    share = f" {release.percent:g}% {WHOSE[release.sticky]}" if release.percent else ""
    return {
        "number": release.number,
        "stage": f"{release.stage}{share}",
        "model": release.specification.uri if release.specification else "the stand-in",
        "added": release.created_at and release.created_at.isoformat(" ", "minutes")[:16],
        "by": release.created_by,
        "note": release.note,
    }


def move_row(move: Move) -> dict[str, Any]:
    """Show what was done as a line of a table."""
    return {
        "at": move.at.isoformat(timespec="seconds"),
        "release": name_of(move.number),
        "action": move.action + (f" {move.rule}" if move.rule else ""),
        "was": move.was,
        "now": f"{move.now} {move.percent:g}%" if move.percent else move.now,
        "by": move.by,
        "reason": move.reason,
    }


def move_facts(move: Move) -> dict[str, Any]:
    """Tell what was done as a program reads it, with the figures by which the server judged."""
    return move_row(move) | {"figures": move.figures}


def warn_of_trouble(parts: Parts, contract: str, releases: Sequence[Release]) -> None:
    """Tell of releases that cannot answer: for today's contract, or in a worker."""
    served = next(each.fingerprint for each in parts.contracts if each.name == contract)
    for each, trouble in ailing(releases, served, parts.watch.troubles(contract)):
        why = (
            printable(trouble.words())
            if trouble
            else f"answers nothing: it has not passed verification for {contract} as it is served. "
            f"stopgap release verify {each.number} --contract {contract}"
        )
        click.echo(f"Release {each.number} ({each.stage}) {why}", err=True)


def print_changes(changes: Sequence[Change], *, as_json: bool, quiet: bool = False) -> None:
    """Say what was done to each release; quiet, where the question has just said it."""
    if as_json:
        for each in changes:
            print_json({name: it for name, it in asdict(each).items() if it is not None})
    elif quiet:
        click.echo("Done.")
    else:
        for each in changes:
            click.echo(each.words())


def print_report(report: Report, *, as_json: bool, number: int | None = None, at: str = "") -> None:
    """Show what a verification found, rule by rule.

    Args:
        number: Of the release that has just been added.
        at: What a command about it needs besides, to be about its contract.
    """
    if as_json:
        print_json(report.document() | ({} if number is None else {"number": number}))
        return
    for finding in report.findings:
        _print_finding(finding)
    words = "held" if report.passed else f"in the way: {', '.join(report.obstacles)}"
    click.echo(f"{len(report.findings)} rules in {report.seconds:.1f} s; {words}.")
    if number is not None:
        then = f"Next: stopgap release promote {number} --percent 10{at}" if report.passed else ""
        click.echo(f"Added as release {number}, a candidate. {then}".rstrip())
        if any(BY_NAME[rule].fixed for rule in report.obstacles):
            return  # it has to hold that one, whatever is done about the others
        for rule in report.obstacles:
            overriding = f"stopgap release override {number} {rule}{at} --reason …"
            click.echo(f"To let it through without {rule}: {overriding}")


def _print_finding(finding: Finding) -> None:
    mark = MARKS[finding.outcome]
    click.echo(f"{mark} {finding.outcome:<11} {finding.rule}: {finding.sentence}")
    click.echo(f"              {printable(finding.figure)}")
    for failure in finding.failures:
        inputs = ", ".join(f"{name}={value!r}" for name, value in failure.inputs.items())
        click.echo(f"              asked {printable(inputs)}")
        click.echo(f"              said  {printable(failure.said)}")


def facts(
    parts: Parts, contract: str, number: int, compared: Mapping[str, Comparison]
) -> dict[str, Any]:
    """Gather all that is known of a release, as a program reads it."""
    report, overridden = parts.releases.verification(contract, number)
    canary = parts.releases.routing(contract).canary
    judged = parts.watch.judge(contract) if canary and canary.number == number else None
    since = SystemClock().now() - timedelta(hours=1)
    tally = parts.watch.tallies(contract, since).get(number)
    return {
        "release": parts.releases.show(contract, number).document(),
        "report": report and report.document(),
        "overridden": list(overridden),
        "troubles": [
            {"reason": each.reason, "workers": each.workers}
            for each in parts.watch.troubles(contract)
            if each.number == number
        ],
        "last_hour": dict(tally.outcomes) if tally else {},
        "verdict": judged and asdict(judged),
        "compared": {other: each.document() for other, each in compared.items()},
        "history": [move_facts(each) for each in parts.releases.moves(contract, number)],
    }


def comparisons(parts: Parts, contract: str, number: int) -> Mapping[str, Comparison]:
    """Gather what was compared of a release, by the name of the one that answered."""
    return {
        name_of(other): parts.watch.comparison(contract, number, other)
        for other in parts.watch.compared_with(contract, number)
    }


def print_release(found: Mapping[str, Any], compared: Mapping[str, Comparison]) -> None:
    """Show a release to people."""
    release = Release.of(found["release"])
    for name, value in row(release).items():
        if value not in {None, ""}:
            click.echo(f"{name:<12} {printable(str(value))}")
    if release.specification:
        for name, value in release.specification.document().items():
            if value not in {None, False} and name != "uri":
                click.echo(f"{name:<12} {printable(_with_unit(name, value))}")
    _print_doing(found)
    if found["report"]:
        click.echo(f"\nVerified {found['report']['at']}:")
        print_report(Report.of(found["report"]), as_json=False)
        for rule in found["overridden"]:
            click.echo(f"Overridden: {rule}.")
    for name, comparison in compared.items():
        whose = f"the {name}'s. {DRAWN}" if name == STAND_IN else f"release {name}'s:"
        click.echo(f"\n{counted(comparison.compared, 'answer')} beside {whose}")
        print_comparison(comparison)
    click.echo()
    print_rows(found["history"][:SHOWN], as_json=False, nothing="Nothing was done to it.")


def _print_doing(found: Mapping[str, Any]) -> None:
    """Show what a release was asked lately, and how a canary is judged by it."""
    if found["last_hour"]:
        counts = (f"{count:,} {kind}" for kind, count in found["last_hour"].items() if count)
        click.echo(f"last hour    {', '.join(counts)}")
    if found["verdict"]:
        stays = "stays" if found["verdict"]["action"] == "keep" else "is being sent back"
        click.echo(f"verdict      It {stays}. {printable(found['verdict']['reason'])}")


def _with_unit(name: str, value: object) -> str:
    """Show what is said of a model as the options say it, with its unit."""
    match name, value:
        case "deadline" | "load_timeout", float():
            return f"{value:g} s"
        case "memory", int():
            return f"{value >> 20:,} MiB"
        case "batch", int():
            return f"{counted(value, 'row')} in one call, at most"
    return str(value)


def replay_facts(told: Replay) -> dict[str, Any]:
    """Tell what came of a replay, for programs."""
    return {
        "requests": told.tally.requests,
        "outcomes": dict(told.tally.outcomes),
        "unreadable": told.unreadable,
        "drawn": told.drawn,
        "time_over": told.time_over,
        "agreement": told.comparison.agreement,
        **told.comparison.document(),
        "errors": {name: _errors(each) for name, each in told.accuracy.errors.items()},
        "failures": [
            {"inputs": inputs.decode(errors="replace"), "said": said}
            for inputs, said in told.failures
        ],
    }


def print_replay(told: Replay, limit: int) -> None:
    """Show what came of a replay of so many requests at most: the answers side by side."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in told.tally.outcomes.items() if count)
    click.echo(f"{counted(told.tally.requests, 'request')} replayed: {counts or 'none'}.")
    if told.time_over:
        click.echo(f"Time was over after {told.tally.requests:,} of at most {limit:,} requests.")
    if told.unreadable:
        click.echo(f"{told.unreadable:,} left out: the contract does not allow them any more.")
    if told.drawn:
        were = "was" if told.drawn == 1 else "were"
        click.echo(f"{told.drawn:,} {were} answered by the stand-in. {DRAWN}")
    print_comparison(told.comparison)
    for name, errors in told.accuracy.errors.items():
        if errors.known:
            click.echo(f"\n{_accuracy(name, errors)}")
    for inputs, said in told.failures[:SHOWN]:
        click.echo(f"no answer   {printable(inputs.decode(errors='replace'))}: {printable(said)}")


def _errors(errors: Errors) -> dict[str, Any]:
    return {
        "known": errors.known,
        "given": errors.given if errors.known else None,
        "other": errors.other if errors.known else None,
        "interval": errors.interval(),
    }


def _accuracy(name: str, errors: Errors) -> str:
    """Say how far both were from what really came, and whether the difference is more than luck."""
    title = f"{name}: " if name else ""
    known = f"{title}It is known what really came of {counted(errors.known, 'request')}."
    if errors.of_words:
        one, two = (f"{100 * each:.1f}%" for each in (errors.other, errors.given))
        both = f"This release is wrong in {one}, the answers given in {two}"
    else:
        one, two = (rounded(each) for each in (errors.other, errors.given))
        both = f"This release is off by {one} on average, the answers given by {two}"
    ends = errors.interval()
    if ends is None:
        return f"{known} {both}: too few to tell how certain that is ({ENOUGH} are needed)."
    change, low, high = (
        f"{100 * each:+.1f}" if errors.of_words else rounded(each, "+")
        for each in (errors.other - errors.given, *ends)
    )
    unit = " points" if errors.of_words else ""
    chance = ", so it may be chance" if ends[0] <= 0 <= ends[1] else ""
    return f"{known} {both}: {change}{unit} (95% interval {low} to {high}{chance})."


def print_comparison(comparison: Comparison) -> None:
    """Show two releases' answers side by side: how often they agree, and where they do not."""
    if comparison.agreement is None:
        return
    click.echo(f"{percent(comparison.agreement)} agree (within 1% of the promised range).")
    for name, spread in comparison.spreads.items():
        _print_spread(name, spread)
    rows = [
        {"asked": _json(each.inputs), "given": _json(each.given), "other": _json(each.other)}
        for each in comparison.largest[:SHOWN]
    ]
    if rows:
        click.echo("\nThe largest differences:")
        print_rows(rows, as_json=False, nothing="")


def _json(value: object) -> str:
    """Write a value as a client would send or read it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _print_spread(name: str, spread: Spread) -> None:
    title = f"{name}: " if name else ""
    same = f"{spread.same:,} of {spread.compared:,} the same"
    if spread.bins:
        same += (
            f"; on average {rounded(spread.mean, '+')}, and {rounded(spread.mean_absolute)} apart"
        )
    click.echo(f"\n{title}{same}")
    most = max(spread.bins.values(), default=0)
    for place, count in sorted(spread.bins.items()):
        sign = "-" if place < 0 else "+" if place else " "
        bar = "█" * max(1, round(BAR_WIDTH * count / most))
        click.echo(f"  {sign}{EDGES[abs(place)]:>6.1%} {count:>9,} {bar}")
    for words, count in spread.words.most_common(SHOWN):
        click.echo(f"  {printable(words)} {count:,}")


@contextmanager
def counting(label: str) -> Iterator[Callable[[int, int], None]]:
    """Tell a person who looks how far a trial is; what a model prints in it is not our output."""
    with redirect_stdout(sys.stderr):
        if not sys.stderr.isatty():
            yield lambda _done, _of: None
            return
        with click.progressbar(length=1_000, label=label, file=sys.stderr) as bar:

            def tell(done: int, of: int) -> None:
                bar.update(round(1_000 * min(1.0, done / max(1, of))) - bar.pos)

            yield tell
