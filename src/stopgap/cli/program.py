"""The program: the group of all commands, and what happens when one is refused."""

import atexit
import errno
import gc
import io
import os
import sys
from collections import UserDict
from importlib import import_module
from typing import Any

import click

from stopgap import __version__
from stopgap.cli.lines import printable
from stopgap.errors import StopgapError

UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""How the system says that a file takes no more."""


class Commands(UserDict[str, Any]):
    """Where commands are; each is imported when it is asked for, as all would take a second."""

    def __getitem__(self, name: str) -> Any:
        """Give a command by its name, which it has in its module, too."""
        return getattr(import_module(super().__getitem__(name)), name)


COMMANDS = Commands(
    serve="stopgap.cli.serving.serve",
    contract="stopgap.cli.contract",
    release="stopgap.cli.release.group",
    account="stopgap.cli.account",
    key="stopgap.cli.key",
    journal="stopgap.cli.journal",
    doctor="stopgap.cli.doctor",
)


class Program(click.Group):
    """Says what Stopgap refuses in one clear line, with an exit code that says the kind."""

    def main(self, *args: Any, **named: Any) -> Any:
        """Be the process: from its words to its exit code."""
        # Else Python looks through all that was imported once more before it ends, for 0.3 s.
        atexit.register(gc.freeze)
        # Whoever started it may have closed them (`<&-`, `>&-`); what is opened next would be taken
        # for them.
        if sys.stdin is None:
            sys.stdin = io.TextIOWrapper(io.FileIO(os.devnull))
        if sys.stdout is None:
            sys.stdout = io.TextIOWrapper(io.FileIO(os.devnull, "w"))
        # A letter that the terminal's encoding lacks is spelt out, as on standard error.
        if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
            sys.stdout.reconfigure(errors="backslashreplace")
        return super().main(*args, **named)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and see its output written."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except OSError as error:
            if error.errno not in UNWRITTEN:
                raise
            click.echo(f"stopgap: The output cannot be written: {error.strerror}.", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left of it
            sys.exit(os.EX_IOERR)
        except StopgapError as error:
            from stopgap.cli.exit_codes import exit_code_of  # noqa: PLC0415  # imports all rooms

            lines = (line.strip() for line in error.detail.splitlines())  # of another's error
            click.echo(f"stopgap: {printable(' '.join(filter(None, lines)))}", err=True)
            for note in getattr(error, "__notes__", ()):
                click.echo(note, err=True)
            sys.exit(exit_code_of(type(error)))
        else:
            return result


@click.group(
    cls=Program, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="stopgap %(version)s")
def main() -> None:
    """Serve a prediction API that is ready before the model is.

    \b
    Examples:
      stopgap serve
      stopgap contract check http://127.0.0.1:5000
    """
