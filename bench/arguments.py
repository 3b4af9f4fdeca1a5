"""The command line that every measurement has."""

import argparse
from collections.abc import Sequence


def parser(
    program: str, description: str | None, names: Sequence[str], connections: Sequence[int]
) -> argparse.ArgumentParser:
    """Make the reader of what all measurements can be told.

    Args:
        program: The module that is run.
        description: What it says of itself.
        names: Of the servers that it knows.
        connections: How many at once, unless others are named.
    """
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    made.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="these alone")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--seconds", type=int, default=4, help="of each measurement")
    made.add_argument("--connections", type=int, nargs="+", default=list(connections))
    made.add_argument("--write", action="store_true", help="put the tables into the page")
    return made
