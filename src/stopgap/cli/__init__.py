"""The command line: `stopgap ...`. Translates words into calls, and errors into exit codes."""

from stopgap.cli.program import main

__all__ = ["main"]
