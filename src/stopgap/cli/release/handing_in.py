"""Handing in: `stopgap release verify` and `add`."""

import asyncio
import sys
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from stopgap.cli.installation import models_ended, opened
from stopgap.cli.lines import json_option
from stopgap.cli.release.lines import counting, print_report
from stopgap.cli.release.model_options import ModelOptions, model_options
from stopgap.cli.release.options import any_number, contract_of, contract_option, me, real_release
from stopgap.clock import SystemClock
from stopgap.parts import Parts
from stopgap.releases.verification.report import Report


@click.command()
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
    context = click.get_current_context()
    number = any_number(model, None, context) if model.isdecimal() else None
    with opened() as parts:
        contract, asked = contract_of(parts, chosen), ModelOptions(**options)
        if number is not None:
            found = real_release(parts, contract, number)
            _refuse_how(found.number)
            report = _trial(parts, contract, found.specification, asked)
            parts.releases.keep_report(contract, found.number, report, me())
        else:
            report = _trial(parts, contract, asked.specification(model), asked)
    print_report(report, as_json=as_json)
    sys.exit(0 if report.passed else 1)


@click.command()
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
        contract, asked = contract_of(parts, chosen), ModelOptions(**options)
        specification = parts.trial.keep(asked.specification(uri))
        report = _trial(parts, contract, specification, asked)
        added = parts.releases.add(contract, specification, me(), note)
        parts.releases.keep_report(contract, added.number, report, me())
    several = f" --contract {contract}" if len(parts.contracts) > 1 else ""
    print_report(report, as_json=as_json, number=added.number, at=several)
    sys.exit(0 if report.passed else 1)


def _refuse_how(number: int) -> None:
    """Refuse to be told how a release is run, which it has been added with.

    Raises:
        UsageError: something of that was given.
    """
    context = click.get_current_context()
    for name in ("bring", "deadline", "load_timeout", "memory", "batch", "python", "in_process"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"Release {number} keeps its own {option}; add it anew with it.")


def _trial(parts: Parts, contract: str, specification: Any, asked: ModelOptions) -> Report:
    now = replace(specification, file_hash=None)  # it is verified as it is now
    with models_ended(), counting("Verifying") as tell:
        report = parts.trial.verify(
            contract,
            now,
            clock=SystemClock(),
            samples=asked.samples,
            seconds=asked.seconds,
            progress=tell,
        )
        return asyncio.run(report)
