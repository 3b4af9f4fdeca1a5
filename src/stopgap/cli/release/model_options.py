"""The options that say how a model is run and how it is verified."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from stopgap.models.specification import (
    BATCH_MAX,
    DEADLINE_MAX,
    LOAD_TIMEOUT_MAX,
    MEMORY_MIN,
    Bring,
    Specification,
    SpecificationInvalid,
)
from stopgap.releases.verification.verifying import SAMPLES, SECONDS

MEBIBYTE = 1_048_576

Command = TypeVar("Command", bound=Callable[..., Any])

Decorator = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What was said of a model, and of how it is verified."""

    bring: Bring
    deadline: float
    load_timeout: float
    memory: int
    batch: int
    python: str | None
    in_process: bool
    samples: int
    seconds: float

    def specification(self, uri: str) -> Specification:
        """Say it to the releases.

        Raises:
            SpecificationInvalid: a value is out of its range.
        """
        return Specification(
            uri=_rooted(uri),
            bring=self.bring,
            deadline=self.deadline,
            load_timeout=self.load_timeout,
            memory=self.memory * MEBIBYTE,
            batch=self.batch,
            python=_rooted_python(self.python),
            in_process=self.in_process,
        )


def _rooted(uri: str) -> str:
    """Name a Python file by its whole path: workers may run in another folder than this command."""
    kind, colon, reference = uri.partition(":")
    place, second, attribute = reference.rpartition(":")
    if kind != "python" or not place.endswith(".py"):
        return uri
    return f"{kind}{colon}{Path(place).resolve()}{second}{attribute}"


def _rooted_python(python: str | None) -> str | None:
    """Name a Python by its whole path, for the same reason; a link, as environments have, stays.

    One that is named alone is looked for here, once: workers may have another PATH, too.

    Raises:
        SpecificationInvalid: it is not found.
    """
    if not python:
        return python
    found = python if "/" in python else shutil.which(python)
    if found is None:
        raise SpecificationInvalid("python", "the path of a program, or a name in PATH", python)
    return str(Path(found).absolute())


def model_options(command: Command) -> Command:
    """Let a command be told how a model is run and verified."""
    for option in (*_of_verification(), *_of_model()):
        command = option(command)
    return command


def _of_verification() -> tuple[Decorator, ...]:
    return (
        click.option(
            "--seconds",
            type=click.FloatRange(1, 3_600),
            default=SECONDS,
            show_default=True,
            help="How long the verification may take.",
        ),
        click.option(
            "--samples",
            type=click.IntRange(1, 1_000_000),
            default=SAMPLES,
            show_default=True,
            help="Inputs that it is verified with, besides the corners.",
        ),
    )


def _of_model() -> tuple[Decorator, ...]:
    default = Specification(uri="python:a:b")
    return (
        click.option(
            "--in-process", is_flag=True, help="Run it in the worker: nothing can end it."
        ),
        click.option(
            "--python",
            metavar="PATH",
            help="The Python that runs it, by its path or as PATH has it now.  [default: this]",
        ),
        click.option(
            "--batch",
            type=click.IntRange(1, BATCH_MAX),
            default=default.batch,
            show_default=True,
            help="Rows in one call, at most.",
        ),
        click.option(
            "--memory",
            type=click.IntRange(MEMORY_MIN // MEBIBYTE),
            default=default.memory // MEBIBYTE,
            show_default=True,
            help="MiB that its process may hold.",
        ),
        click.option(
            "--load-timeout",
            type=click.FloatRange(0, LOAD_TIMEOUT_MAX, min_open=True),
            default=default.load_timeout,
            show_default=True,
            help="Seconds from its process's start to its first answer.",
        ),
        click.option(
            "--deadline",
            type=click.FloatRange(0, DEADLINE_MAX, min_open=True),
            default=default.deadline,
            show_default=True,
            help="Seconds for one prediction, its queueing included.",
        ),
        click.option(
            "--bring",
            type=click.Choice(get_args(Bring)),
            default=default.bring,
            show_default=True,
            help="How its output is brought into the contract's type.",
        ),
    )
